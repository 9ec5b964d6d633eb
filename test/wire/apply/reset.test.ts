import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { resetCluster } from '../../../src/apply/flow/reset.ts';
import { bringUp } from '../../../src/apply/flow/up.ts';
import { silent } from '../../../src/report/event.ts';
import { FakeCluster } from '../../support/fake-node/fake-node.ts';
import { fakeNames, fakeSession } from '../../support/fake-node/session.ts';
import { repoRoot } from '../../support/imports.ts';

const { signal } = new AbortController();
const yes = () => Promise.resolve(true);

// The stand-in systemctl keeps its own state where a real one keeps it in memory and links.
const except = ['/run/hairpin', '/var/lib/fake-systemd'];
const filesOf = (cluster: FakeCluster) => fakeNames.map((name) => [name, cluster.files(name, except)]);

function withOperatorsFiles(cluster: FakeCluster): void {
  mkdirSync(join(cluster.root, 'm1/etc/cni/net.d'), { recursive: true });
  cluster.write('m1', '/etc/cni/net.d/10-hairpin.conflist', '{"what": "was there before"}\n');
  cluster.write('m1', '/etc/cni/net.d/99-other.conflist', '{}\n');
  cluster.write('m2', '/etc/hosts', '127.0.0.1 localhost\n10.0.0.9 cluster.k8sapiserver somebody\n');
}

test('reset after up: every file is as it was, the operator’s own ones too', async () => {
  using cluster = new FakeCluster(fakeNames, { stepMs: 5 });
  withOperatorsFiles(cluster);
  const before = filesOf(cluster);
  const session = fakeSession(cluster.root);
  await bringUp({ session, emit: silent, signal, confirm: yes, tries: 1 });
  expect(cluster.read('m1', '/etc/cni/net.d/10-hairpin.conflist.hairpin-backup')).toContain('was there before');
  const { resets, notes, unreachable } = await resetCluster({ session, emit: silent, signal, confirm: yes });
  expect(resets.map(({ node, undos }) => [node, undos.map((undo) => undo.is)])).toEqual([
    ['m1', ['kubeadm-reset', 'remove-hosts-block', 'restore-file']],
    ['m2', ['remove-hosts-block', 'kubeadm-reset', 'restore-file']],
    ['m3', ['remove-hosts-block', 'kubeadm-reset', 'restore-file']],
    ['w1', ['kubeadm-reset', 'remove-hosts-block', 'restore-file']],
  ]);
  expect({ notes, unreachable }).toEqual({ notes: [], unreachable: [] });
  expect(filesOf(cluster)).toEqual(before);
  const again = await resetCluster({
    session,
    emit: silent,
    signal,
    confirm: () => Promise.reject(new Error('asked')),
  });
  expect(again.resets.filter(({ anything }) => anything)).toEqual([]);
});

test('lines that somebody added to /etc/hosts after us stay, and what was there before comes back', async () => {
  using cluster = new FakeCluster(fakeNames, { stepMs: 5 });
  withOperatorsFiles(cluster);
  const before = filesOf(cluster);
  const session = fakeSession(cluster.root);
  await bringUp({ session, emit: silent, signal, confirm: yes, tries: 1 });
  cluster.write('m2', '/etc/hosts', `${cluster.read('m2', '/etc/hosts')}10.0.0.7 added-later\n`);
  await resetCluster({ session, emit: silent, signal, confirm: yes });
  expect(cluster.read('m2', '/etc/hosts')).toBe(
    '127.0.0.1 localhost\n10.0.0.9 cluster.k8sapiserver somebody\n10.0.0.7 added-later\n',
  );
  cluster.write('m2', '/etc/hosts', '127.0.0.1 localhost\n10.0.0.9 cluster.k8sapiserver somebody\n');
  expect(filesOf(cluster)).toEqual(before);
});

test.each([700, 1500, 2500, 4000])(
  'reset of a cluster whose up was killed after %i ms leaves nothing',
  async (after) => {
    using cluster = new FakeCluster(fakeNames, { stepMs: 60 });
    withOperatorsFiles(cluster);
    const before = filesOf(cluster);
    const child = spawn(process.execPath, [join(repoRoot, 'test/support/fake-node/up.main.ts'), cluster.root]);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await sleep(after);
    child.kill('SIGKILL');
    await ended;
    await resetCluster({ session: fakeSession(cluster.root), emit: silent, signal, confirm: yes });
    expect(filesOf(cluster)).toEqual(before);
  },
);
