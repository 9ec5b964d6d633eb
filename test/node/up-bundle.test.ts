import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { labPaths } from '../../src/lab/paths.ts';
import { hairpin } from '../support/hairpin.ts';
import { fileSystem, podsWithoutService, startPods, UpLab } from '../support/up-lab.ts';

// Nodes with sshd and nothing of Kubernetes, no network but the lab's own: everything comes out of the bundle.

let lab: UpLab;
let first: Awaited<ReturnType<UpLab['hairpin']>>;
const before = new Map<string, readonly string[]>();
const bundle = join(labPaths('t-up-bundle').root, 'bundle.tar.gz');

beforeAll(async () => {
  lab = await UpLab.start({ name: 't-up-bundle', balancer: 'drop', masters: 1, workers: 1, bare: true });
  const made = await hairpin(['bundle', 'create', '--bundle', bundle]);
  if (made.code !== 0) throw new Error(made.stderr);
  for (const node of lab.nodes) before.set(node, await fileSystem(lab, node));
});
afterAll(async () => lab?.[Symbol.asyncDispose]());

const programs = 'for p in kubeadm kubelet kubectl containerd runc ctr nft conntrack curl; do command -v $p; done';

test('the nodes are bare', async () => {
  expect(await Promise.all(lab.nodes.map((node) => lab.sh(node, programs)))).toEqual(['', '']);
});

test('up makes a cluster of them, and every check is ok', async () => {
  first = await lab.hairpin('up', '--yes', '--strategy', 'steer');
  expect(first.code, first.told).toBe(0);
  expect(first.result).toMatchObject({ changed: true, ok: true });
  const nodes = await lab.kubectl('get nodes --no-headers');
  expect(
    nodes
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/).slice(0, 2)),
  ).toEqual([
    ['m1', 'Ready'],
    ['w1', 'Ready'],
  ]);
});

test('a pod on each node reaches kubernetes.default', async () => {
  await startPods(lab);
  expect(await podsWithoutService(lab)).toEqual([]);
});

test('nothing of the bundle is left on the nodes but what it brought', async () => {
  const left = await Promise.all(lab.nodes.map((node) => lab.sh(node, 'ls -A /var/lib/hairpin/bundles; dpkg --audit')));
  expect(left).toEqual(['', '']);
});

test('a second up plans nothing', async () => {
  const again = await lab.hairpin('up', '--yes', '--strategy', 'steer');
  expect(again.code, again.told).toBe(0);
  expect(again.result).toMatchObject({ changed: false, ok: true });
});

test('reset takes out what the bundle brought, packages included', async () => {
  const reset = await lab.hairpin('reset', '--yes');
  expect(reset.code, reset.told).toBe(0);
  for (const node of lab.nodes) {
    // dpkg rewrites its status and keeps a copy of it.
    const files = (await fileSystem(lab, node)).filter((line) => !line.startsWith('/var/lib/dpkg/'));
    const wanted = (before.get(node) ?? []).filter((line) => !line.startsWith('/var/lib/dpkg/'));
    const changes = [
      ...wanted.filter((line) => !files.includes(line)).map((line) => `- ${line}`),
      ...files.filter((line) => !wanted.includes(line)).map((line) => `+ ${line}`),
    ];
    expect(changes, node).toEqual([]);
    expect(await lab.sh(node, programs)).toBe('');
  }
});
