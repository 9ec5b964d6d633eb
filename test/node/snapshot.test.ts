import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, openLab, saveSnapshot, silent, startLab, stopLab } from '../../src/index.ts';
import { clusterByHand } from '../../src/lab/rehearsal/by-hand.ts';
import { kubectlArgv } from '../../src/lab/rehearsal/observe.ts';
import { untilNodesReady } from '../../src/lab/rehearsal/ready.ts';
import type { RunningLab } from '../../src/lab/runtime/open-lab.ts';
import { hairpin } from '../support/hairpin.ts';
import { labSpec } from '../support/lab-spec.ts';

const made = 't-snap';
const [a, b] = ['t-snap-a', 't-snap-b'];
const { signal } = new AbortController();
let lab: Lab;

const removeAll = async () => {
  for (const name of [made, a, b]) await stopLab(name);
  await hairpin(['lab', 'snapshot', 'remove', made]);
};

beforeAll(async () => {
  await removeAll();
  lab = await startLab(labSpec({ name: made, tier: 'node', masters: 1, workers: 0, clients: 0, balancer: 'works' }));
  await clusterByHand(lab, { emit: silent, signal });
});
afterAll(removeAll);

const sh = async (on: RunningLab, script: string) =>
  (await on.exec('m1', ['sh', '-c', script], { signal })).stdout.trim();

test('the lab goes on when a snapshot fails half-way, and nothing half-made is kept', async () => {
  const failing: RunningLab = {
    ...lab,
    tier: {
      ...lab.tier,
      async stopMachine(cx, machine, how) {
        await lab.tier.stopMachine(cx, machine, how);
        throw new Error('the last step failed');
      },
    },
  };
  await expect(saveSnapshot(failing, 't-half')).rejects.toThrow('the last step failed');
  expect(await lab.tier.state(lab.cx, 'm1')).toBe('running');
  expect((await hairpin(['lab', 'snapshot', 'list'])).stdout).not.toContain('t-half');
});

test('the lab goes on after the snapshot, with the same nodes', async () => {
  await sh(lab, 'echo before > /root/mark');
  const since = Date.now();
  const result = await hairpin(['lab', 'snapshot', made, '--lab', made]);
  expect(result).toMatchObject({
    code: 0,
    stdout: `${made} is kept; bring it back with: hairpin lab up --from ${made}\n`,
  });
  await untilNodesReady(lab, { signal, since, timeout: 120_000 });
  await sh(lab, 'echo after > /root/mark');
  const listed = JSON.parse((await hairpin(['lab', 'snapshot', 'list', '-o', 'json'])).stdout) as { name: string }[];
  expect(listed.filter(({ name }) => name === made)).toMatchObject([
    { lab: made, kubernetes: 'v1.37.2', masters: 1, workers: 0 },
  ]);
  await stopLab(made);
});

test('two labs from one snapshot, at once, do not disturb each other nor the snapshot', async () => {
  const since = Date.now();
  const up = async (name: string) => await hairpin(['lab', 'up', '--from', made, '--lab', name, '-o', 'json']);
  const results = await Promise.all([up(a), up(b)]);
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  const [first, second] = [await openLab(a), await openLab(b)];
  for (const one of [first, second]) await untilNodesReady(one, { signal, since, timeout: 120_000 });
  expect([await sh(first, 'cat /root/mark'), await sh(second, 'cat /root/mark')]).toEqual(['before', 'before']);

  // Files, the cluster's objects and images of the one are nothing to the other.
  await sh(first, 'echo first > /root/mark');
  await first.exec('m1', kubectlArgv(first, 'm1', ['create', 'namespace', 'only-first']), { signal });
  await sh(
    first,
    'for i in $(ctr -n k8s.io images ls -q 2>/dev/null | grep coredns); do ctr -n k8s.io images rm --sync $i; done',
  );
  const images = async (one: RunningLab) =>
    Number(await sh(one, 'ctr -n k8s.io images ls -q 2>/dev/null | grep -c coredns'));
  const namespaces = async (one: RunningLab) =>
    (await one.exec('m1', kubectlArgv(one, 'm1', ['get', 'namespaces', '-o', 'name']), { signal })).stdout;
  expect([await images(first), (await images(second)) > 0]).toEqual([0, true]);
  expect([await sh(first, 'cat /root/mark'), await sh(second, 'cat /root/mark')]).toEqual(['first', 'before']);
  expect(await namespaces(first)).toContain('only-first');
  expect(await namespaces(second)).not.toContain('only-first');

  // Taking away the first and the snapshot leaves the second whole, down to the layers it shares with them.
  await stopLab(a);
  expect((await hairpin(['lab', 'snapshot', 'remove', made])).code).toBe(0);
  const probe = await second.exec(
    'm1',
    [
      'sh',
      '-c',
      'ctr -n k8s.io run --rm $(ctr -n k8s.io images ls -q 2>/dev/null | grep -m1 kube-proxy:) t /usr/local/bin/kube-proxy --version',
    ],
    { signal },
  );
  expect(probe.stdout).toContain('v1.37.2');
});

test('what cannot be done is said', async () => {
  const { code, stderr } = await hairpin(['lab', 'up', '--from', 'no-such']);
  expect({ code, said: stderr.split('\n')[0] }).toEqual({ code: 1, said: 'There is no snapshot `no-such`' });
  const mixed = await hairpin(['lab', 'up', '--from', made, '--masters', '3']);
  expect({ code: mixed.code, said: mixed.stderr.split('\n')[0] }).toEqual({
    code: 64,
    said: '--from and --masters exclude each other',
  });
  expect(await saveSnapshot(await openLab(b), 'list').catch((error: { code: string }) => error.code)).toBe('USAGE');
});
