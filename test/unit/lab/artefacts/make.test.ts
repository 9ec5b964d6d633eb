import { mkdir, mkdtemp, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { warmArtefacts } from '../../../../src/lab/artefacts/artefacts.ts';
import { binaryNames } from '../../../../src/lab/artefacts/components.ts';
import { listArtefacts } from '../../../../src/lab/artefacts/list.ts';
import { makeArtefacts } from '../../../../src/lab/artefacts/make.ts';
import { readManifest } from '../../../../src/lab/artefacts/manifest.ts';
import type { Source } from '../../../../src/lab/artefacts/source.ts';
import type { Event } from '../../../../src/report/event.ts';

let cache = '';
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'hairpin-make-'));
});
afterEach(() => rm(cache, { recursive: true, force: true }));

/** A source in memory: programs are one line of text, kubeadm is a script that prints the list of images. */
function fakeSource(opts: { etcd?: readonly string[]; failAt?: string } = {}) {
  const produced: string[] = [];
  const source: Source = {
    name: 'a fake',
    versions: async (component) => (component === 'etcd' ? (opts.etcd ?? ['v3.7.0']) : ['v1.14.6']),
    has: async (component, version) => component !== 'etcd' || (opts.etcd ?? ['v3.7.0']).includes(version),
    async produce({ binary, version }, path) {
      if (binary.name === opts.failAt) {
        await writeFile(path, 'half');
        throw new Error('killed');
      }
      produced.push(`${binary.name} ${version}`);
      await writeFile(path, binary.name === 'kubeadm' ? kubeadm(version) : `${binary.name} ${version}\n`);
      return { source: 'faked' };
    },
  };
  return { source, produced };
}

function kubeadm(version: string): string {
  const refs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'].map(
    (n) => `${n}:${version}`,
  );
  const lines = [...refs, 'coredns/coredns:v1.14.6', 'pause:3.10.2', 'etcd:3.7.0-0'];
  return `#!/bin/sh\n${lines.map((ref) => `echo registry.k8s.io/${ref}`).join('\n')}\n`;
}

async function make(source: Source, opts: { version?: string; verify?: boolean; tools?: string } = {}) {
  const version = opts.version ?? 'v1.37.2';
  const events: Event[] = [];
  const dir = join(cache, 'artefacts', `${version}-amd64`);
  await mkdir(dir, { recursive: true });
  const done = makeArtefacts({
    cache,
    dir,
    version,
    arch: 'amd64',
    sources: [source],
    tools: { id: async () => opts.tools ?? 'base-1', entries: async () => [] },
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    verify: opts.verify ?? false,
  });
  const error = await done.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { dir, events, error };
}

const imagesMade = (events: readonly Event[]) =>
  events.flatMap((e) => (e.kind === 'task-finished' && e.task === 'artefacts/images' ? [e.detail] : []));

describe('makeArtefacts()', () => {
  test('gets every binary once, kubeadm first, at the versions that kubeadm wants', async () => {
    const { source, produced } = fakeSource();
    const { dir, error } = await make(source);
    expect(error).toBeUndefined();
    expect(produced).toEqual([
      ...binaryNames.slice(0, 7).map((name) => `${name} v1.37.2`),
      'etcd v3.7.0',
      'etcdctl v3.7.0',
      'coredns v1.14.6',
      'containerd v2.4.2',
      'containerd-shim-runc-v2 v2.4.2',
      'ctr v2.4.2',
      'pause v1',
    ]);
    const warm = await warmArtefacts(dir);
    expect(warm?.images.map(({ ref }) => ref)).toEqual([
      'registry.k8s.io/kube-apiserver:v1.37.2',
      'registry.k8s.io/kube-controller-manager:v1.37.2',
      'registry.k8s.io/kube-scheduler:v1.37.2',
      'registry.k8s.io/kube-proxy:v1.37.2',
      'registry.k8s.io/coredns/coredns:v1.14.6',
      'registry.k8s.io/pause:3.10.2',
      'registry.k8s.io/etcd:3.7.0-0',
    ]);
    expect(await readFile(warm?.binaries.kubelet ?? '', 'utf8')).toBe('kubelet v1.37.2\n');
    expect((await stat(warm?.binaries.kubelet ?? '')).mode & 0o777).toBe(0o755);
  });

  test('goes on where a killed run stopped, and leaves nothing half-made', async () => {
    const first = await make(fakeSource({ failAt: 'kubelet' }).source);
    expect(first.error).toEqual(new Error('killed'));
    await expect(stat(join(first.dir, 'bin/kubelet'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(stat(join(first.dir, '.part'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await warmArtefacts(first.dir)).toBeUndefined();

    const { source, produced } = fakeSource();
    expect((await make(source)).error).toBeUndefined();
    expect(produced.slice(0, 2)).toEqual(['kubelet v1.37.2', 'kube-proxy v1.37.2']);
    expect(produced).toHaveLength(10);
  });

  test('makes nothing when all is there', async () => {
    await make(fakeSource().source);
    const { source, produced } = fakeSource();
    const { events } = await make(source);
    expect({ produced, images: imagesMade(events) }).toEqual({ produced: [], images: [] });
  });

  test('makes a file again that is not what it was, and the image that holds it', async () => {
    const { dir } = await make(fakeSource().source);
    await truncate(join(dir, 'bin/etcd'), 3);
    expect(await warmArtefacts(dir)).toBeUndefined();
    const { source, produced } = fakeSource();
    const { events } = await make(source);
    expect(produced).toEqual(['etcd v3.7.0']);
    expect(events.filter(({ kind }) => kind === 'warning')).toEqual([
      { kind: 'warning', text: `${dir}/bin/etcd is not what it was when it was made: making it again` },
    ]);
    // The same bytes came back, so the image is still right.
    expect(imagesMade(events)).toEqual([]);
  });

  test('sees a change that keeps size and time only when it verifies', async () => {
    const { dir } = await make(fakeSource().source);
    const path = join(dir, 'bin/etcd');
    const { atime, mtime } = await stat(path);
    await writeFile(path, 'ETCD v3.7.0\n');
    await utimes(path, atime, mtime);
    const quick = fakeSource();
    await make(quick.source);
    expect(quick.produced).toEqual([]);
    const thorough = fakeSource();
    await make(thorough.source, { verify: true });
    expect(thorough.produced).toEqual(['etcd v3.7.0']);
  });

  test('takes what another version has already made', async () => {
    await make(fakeSource().source);
    const { source, produced } = fakeSource();
    await make(source, { version: 'v1.37.3' });
    expect(produced).toEqual(binaryNames.slice(0, 7).map((name) => `${name} v1.37.3`));
  });

  test('takes the nearest etcd where the wanted one is nowhere, and says so', async () => {
    const { source, produced } = fakeSource({ etcd: ['v3.6.8', 'v3.7.3'] });
    const { events } = await make(source);
    expect(produced).toContain('etcd v3.7.3');
    expect(events.filter(({ kind }) => kind === 'note')).toEqual([
      {
        kind: 'note',
        text: 'etcd v3.7.0 is in no source: v3.7.3 takes its place, under the name that kubeadm wants',
      },
    ]);
  });

  test('is not content with images that an older program made, and makes only them again', async () => {
    const { dir } = await make(fakeSource().source);
    const path = join(dir, 'manifest.json');
    const manifest = (await readManifest(dir)) ?? { files: {} };
    const files = Object.entries(manifest.files).map(([name, entry]) => [
      name,
      name.startsWith('images/') ? { ...entry, key: 'older' } : entry,
    ]);
    await writeFile(path, JSON.stringify({ ...manifest, imagesRevision: 1, files: Object.fromEntries(files) }));
    expect(await warmArtefacts(dir)).toBeUndefined();
    const { source, produced } = fakeSource();
    const { events } = await make(source);
    expect({ produced, images: imagesMade(events) }).toEqual({ produced: [], images: ['7 made'] });
    expect(await warmArtefacts(dir)).toBeDefined();
  });

  test("makes kube-proxy's image again when the base image is another one", async () => {
    await make(fakeSource().source);
    const { events } = await make(fakeSource().source, { tools: 'base-2' });
    expect(imagesMade(events)).toEqual(['1 made']);
  });
});

test('listArtefacts() tells what is whole from what is not', async () => {
  await make(fakeSource().source);
  await make(fakeSource({ failAt: 'kube-proxy' }).source, { version: 'v1.9.0' });
  const list = await listArtefacts({ cache });
  expect(list.map(({ version, complete, files }) => ({ version, complete, files }))).toEqual([
    { version: 'v1.9.0', complete: false, files: 5 },
    { version: 'v1.37.2', complete: true, files: 21 },
  ]);
});
