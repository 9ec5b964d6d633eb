import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Lab,
  removeSnapshot,
  restoreSnapshot,
  saveSnapshot,
  silent,
  snapshotSpec,
  startLab,
  stopLab,
} from '../../src/index.ts';
import { kubectlArgv } from '../../src/lab/rehearsal/observe.ts';
import { untilNodesReady } from '../../src/lab/rehearsal/ready.ts';
import { explainProblem, type Problem, showProblem } from '../../src/lab/rehearsal/show-problem.ts';
import { labSpec } from '../support/lab-spec.ts';
import { tracesOf } from '../support/lab-traces.ts';

// Real kubeadm v1.37.2, plain as its manual says, behind a balancer that keeps the source address.

const names = ['t-kubeadm', 't-kubeadm-again'] as const;
const snapshot = 't-kubeadm';
const { signal } = new AbortController();
let lab: Lab;
let problem: Problem;

const remove = async () => {
  for (const name of names) await stopLab(name);
  await removeSnapshot(snapshot).catch(() => undefined);
};

beforeAll(async () => {
  await remove();
  lab = await startLab(labSpec({ name: names[0], tier: 'node', balancer: 'alibaba-clb' }));
  problem = await showProblem(lab, { emit: silent, signal });
});
afterAll(remove);

describe('with one master', () => {
  test('`kubeadm init` reports success', () => {
    expect(problem.init).toMatchObject({ succeeded: true });
  });

  test('the master itself never reaches the endpoint, a worker and an outside client always do', () => {
    expect(problem.alone).toEqual([
      { machine: 'm1', tries: 60, answered: 0, refused: 0, silent: 60 },
      { machine: 'w1', tries: 60, answered: 60, refused: 0, silent: 0 },
      { machine: 'c1', tries: 60, answered: 60, refused: 0, silent: 0 },
    ]);
  });

  test('kube-proxy on the master has no Services, and `kubeadm token create` gets no answer', () => {
    expect([problem.leaderProxySynced, problem.tokenCreate.succeeded]).toEqual([false, false]);
  });
});

describe('with three masters', () => {
  test('all of them join, as does the worker: the failure is silent', async () => {
    expect(problem.joined.map(({ machine, exitCode }) => [machine, exitCode])).toEqual([
      ['m2', 0],
      ['m3', 0],
      ['w1', 0],
    ]);
    await untilNodesReady(lab, { signal, since: Date.now() - 10_000, timeout: 60_000 });
  });

  test('a master loses one connection in three, worker and outside client none', () => {
    const lost = Object.fromEntries(problem.together.map(({ machine, silent: none }) => [machine, none]));
    expect({ w1: lost.w1, c1: lost.c1 }).toEqual({ w1: 0, c1: 0 });
    for (const master of ['m1', 'm2', 'm3']) {
      // 20 of 60 when nobody else dials; the cluster's own connections take turns in between, so within 3 deviations.
      expect(lost[master]).toBeGreaterThanOrEqual(9);
      expect(lost[master]).toBeLessThanOrEqual(31);
    }
    expect(problem.together.map(({ refused }) => refused)).toEqual([0, 0, 0, 0, 0]);
  });

  test('the explanation has the numbers in it', () => {
    const text = explainProblem(problem);
    expect(text).toContain('kubeadm init says that it succeeded');
    expect(text).toMatch(/m1 +0 of 60 answered, 60 without any answer/);
    expect(text).toMatch(/w1 +60 of 60 answered\n/);
  });
});

test('the cluster is kept by a snapshot and comes back under another name with what was in it', async () => {
  const kubectl = async (on: Lab, ...args: string[]) =>
    (await on.exec('m1', kubectlArgv(on, 'm1', args), { signal })).stdout;
  await kubectl(lab, 'create', 'configmap', 'kept', '--from-literal=by=snapshot');
  await saveSnapshot(lab, snapshot);
  await stopLab(names[0]);
  expect(await tracesOf(names[0])).toEqual([]);
  const since = Date.now();
  const again = await startLab(await snapshotSpec(snapshot, names[1]), {
    prepare: (cx) => restoreSnapshot(cx, snapshot),
  });
  const ms = await untilNodesReady(again, { signal, since, timeout: 120_000 });
  console.log(`restored to all nodes Ready in ${(ms / 1000).toFixed(1)} s`);
  expect(await kubectl(again, 'get', 'configmap', 'kept', '--output', 'jsonpath={.data.by}')).toBe('snapshot');
});
