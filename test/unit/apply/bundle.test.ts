import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StepContext } from '../../../src/apply/handler.ts';
import { importImages, installBundle } from '../../../src/apply/handlers/bundle.ts';
import { Secrets } from '../../../src/apply/secrets.ts';
import { packBundle } from '../../../src/bundle/pack.ts';
import type { RunOptions } from '../../../src/node/port.ts';
import { uninstallBundle } from '../../../src/plan/phases/prepare.ts';
import type { ImportImagesStep, InstallBundleStep } from '../../../src/plan/step.ts';
import { makeSpec } from '../../support/any-spec.ts';
import { MemoryNode } from '../../support/memory-node.ts';
import { noProgram } from '../../support/no-program.ts';

const slice = 16 << 20;
let dir: string;
let bytes: Uint8Array;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-send-'));
  // Random, so that three slices are left of it after compression.
  await writeFile(join(dir, 'kubeadm'), randomBytes(2 * slice + 1000));
  const { path } = await packBundle(
    {
      version: 'v1.37.2',
      arch: 'amd64',
      suite: 'bookworm',
      madeBy: 'test',
      files: [{ path: '/usr/bin/kubeadm', mode: 0o755, content: { from: join(dir, 'kubeadm') } }],
      images: [{ ref: 'registry.k8s.io/pause:3.10', file: 'pause.tar', from: join(dir, 'kubeadm') }],
      packages: [],
      tools: [],
    },
    join(dir, 'b.tar.gz'),
    { signal: new AbortController().signal },
  );
  bytes = await readFile(path);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const base = {
  path: 'b.tar.gz',
  node: 'm1',
  phase: 'prepare' as const,
  because: '',
  needs: [],
  estimateMs: 1,
};
const install: InstallBundleStep = {
  ...base,
  id: 'm1/install-bundle',
  kind: 'install-bundle',
  undo: { is: 'run', argv: uninstallBundle },
};
const images: ImportImagesStep = {
  ...base,
  id: 'm1/import-images',
  kind: 'import-images',
  undo: { is: 'nothing', because: '' },
};

/** A node that has this much of the bundle, and these images; `offsets` are those of the slices that it was sent. */
function machine(seen: string, refs = '') {
  const offsets: number[] = [];
  const received = createHash('sha256');
  const node = new MemoryNode('m1', (argv: readonly string[], opts: RunOptions) => {
    if (argv[3] === 'hairpin-bundle') return { stdout: `${seen}\n` };
    if (argv[2]?.includes('images list')) return { stdout: refs };
    if (argv[3] === 'hairpin-receive') {
      offsets.push(Number(argv[5]));
      received.update(opts.stdin ?? '');
    }
    return {};
  });
  const cx = (step: InstallBundleStep | ImportImagesStep) =>
    new StepContext({
      spec: makeSpec({
        masters: 1,
        workers: 0,
        ip: 4,
        version: 'v1.37.2',
        bundle: true,
        cni: 'none',
        strategy: { name: 'direct' },
      }),
      step,
      nodes: new Map([['m1', node]]),
      secrets: new Secrets(),
      readLocal: () => Promise.resolve(bytes),
      program: noProgram,
      waiting: new AbortController().signal,
      progress: () => undefined,
      run: { id: 'r', by: 'test' },
      now: () => new Date(0),
    });
  return { cx, offsets, sum: () => received.digest('hex') };
}
const slices = (from: number) => {
  const all: number[] = [];
  for (let offset = from; offset < bytes.length; offset += slice) all.push(offset);
  return all;
};

test('a bundle goes to a node in slices that make up the file', async () => {
  const { cx, offsets, sum } = machine('0');
  expect(await installBundle(install, cx(install))).toBe('all was there already');
  expect(offsets).toEqual(slices(0));
  expect(offsets.length).toBeGreaterThan(2);
  expect(sum()).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('a transfer that was cut goes on where it stopped', async () => {
  const { cx, offsets } = machine('20000000');
  await installBundle(install, cx(install));
  expect(offsets).toEqual(slices(20_000_000));
});

test('a bundle that is unpacked already is not sent again', async () => {
  const { cx, offsets } = machine('there');
  await installBundle(install, cx(install));
  expect(offsets).toEqual([]);
});

test('nothing is sent for images that are there', async () => {
  const { cx, offsets } = machine('0', 'registry.k8s.io/pause:3.10\n');
  expect(await importImages(images, cx(images))).toBe('all were there already');
  expect(offsets).toEqual([]);
});

test('without the unpacked bundle, images that are missing bring it again', async () => {
  const { cx, offsets } = machine('0', 'registry.k8s.io/other:1\n');
  await importImages(images, cx(images));
  expect(offsets).toEqual(slices(0));
});
