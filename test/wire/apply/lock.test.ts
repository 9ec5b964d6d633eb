import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { type Holder, ourselves } from '../../../src/apply/holder.ts';
import { lockNode, lockNodes } from '../../../src/apply/lock.ts';
import { nodePaths } from '../../../src/apply/on-node.ts';
import type { OperatorError } from '../../../src/errors/operator-error.ts';
import type { NodePort } from '../../../src/node/port.ts';
import { FakeCluster } from '../../support/fake-node/fake-node.ts';

const cluster = new FakeCluster(['m1', 'm2']);
afterAll(() => cluster[Symbol.dispose]());

const node = (name: string): NodePort => {
  const port = cluster.nodes.get(name);
  if (port === undefined) throw new Error(name);
  return port;
};

const signal = new AbortController().signal;
const options = (holder: Holder) => ({ holder, signal, onLost: () => undefined });
const us = (run: string) => ourselves(run, 'up', new Date('2026-11-23T14:02:11Z'));

describe('lockNode()', () => {
  test('refuses while another run holds the lock, and says who', async () => {
    await using _held = await lockNode(node('m1'), options({ ...us('one'), user: 'ops', host: 'bastion', pid: 4121 }));
    const error = await lockNode(node('m1'), options(us('two'))).catch((e: unknown) => e as OperatorError);
    expect(error).toMatchObject({ code: 'NODE_LOCKED', message: 'Cannot change m1: another run holds its lock' });
    expect(String((error as OperatorError).cause)).toMatch(
      /^held by ops@bastion \(pid 4121, up\) since 2026-11-23T14:02:11.000Z, last sign of life \d+ ms ago$/,
    );
  });

  test('is free again after it was released', async () => {
    await (await lockNode(node('m1'), options(us('one'))))[Symbol.asyncDispose]();
    expect(cluster.read('m1', nodePaths.lock)).toBeUndefined();
    await using lock = await lockNode(node('m1'), options(us('two')));
    expect(lock.takenFrom).toBeUndefined();
  });

  test('is taken over at once from a dead process of this machine, and what that left running is ended', async () => {
    const dead = { ...us('dead'), pid: 2 ** 22 - 1, pidStart: '1' };
    const old = await lockNode(node('m1'), options(dead));
    // What a killed run leaves: a command under way on the node, and a secret file.
    const left = execa({ reject: false })`setsid sleep 60`;
    const pid = left.pid ?? 0;
    await sleep(50);
    const start = cluster.nodes.size > 0 ? await startTime(pid) : '';
    await node('m1').change([
      'sh',
      '-c',
      `mkdir -p ${nodePaths.underWay}; echo "${pid} ${start} ${pid}" >${nodePaths.underWay}/m1_kubeadm-join; echo token >/run/hairpin/kubeadm-join.yaml`,
    ]);
    await using lock = await lockNode(node('m1'), options(us('next')));
    expect(lock.ended).toEqual(['m1_kubeadm-join']);
    expect(lock.takenFrom).toMatchObject({ run: 'dead' });
    expect((await left).signal).toBe('SIGTERM');
    expect(cluster.read('m1', '/run/hairpin/kubeadm-join.yaml')).toBeUndefined();
    await old[Symbol.asyncDispose]();
    expect(cluster.read('m1', nodePaths.lock)).toContain('"run":"next"');
  });

  test('is not taken from a live run on another machine until its signs of life have stopped for 90 s', async () => {
    const far = { ...us('far'), host: 'elsewhere', machine: 'other' };
    await lockNode(node('m2'), options(far));
    await expect(lockNode(node('m2'), options(us('two')))).rejects.toMatchObject({ code: 'NODE_LOCKED' });
    await node('m2').change(['touch', '-d', '100 seconds ago', nodePaths.lock]);
    await using lock = await lockNode(node('m2'), options(us('two')));
    expect(lock.takenFrom).toMatchObject({ run: 'far' });
  });

  test('a run whose lock was taken away is told', async () => {
    let lost: OperatorError | undefined;
    await using _lock = await lockNode(node('m1'), {
      ...options(us('one')),
      onLost: (error) => {
        lost = error;
      },
      every: 20,
    });
    await node('m1').change(['sh', '-c', `echo other >${nodePaths.lock}`]);
    await expect.poll(() => lost?.code, { timeout: 5000 }).toBe('NODE_LOCK_LOST');
    await node('m1').change(['rm', nodePaths.lock]);
  });

  test('of twenty runs at once exactly one gets a stale lock', async () => {
    await lockNode(node('m1'), options({ ...us('dead'), pid: 2 ** 22 - 1, pidStart: '1' }));
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => lockNode(node('m1'), options(us(`run-${i}`)))),
    );
    const won = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won.length).toBe(1);
    await won[0]?.[Symbol.asyncDispose]();
  });
});

test('lockNodes() keeps no lock when one node is locked by somebody else', async () => {
  await using _held = await lockNode(node('m2'), options(us('one')));
  const locked = await lockNodes([node('m1'), node('m2')], options(us('two'))).catch((error: unknown) => error);
  expect(locked).toMatchObject({ code: 'NODE_LOCKED', message: 'Cannot change m2: another run holds its lock' });
  expect(cluster.read('m1', nodePaths.lock)).toBeUndefined();
});

async function startTime(pid: number): Promise<string> {
  const { stdout } = await execa`cat /proc/${pid}/stat`;
  return stdout.slice(stdout.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
