import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineReport } from '../../../src/drill/history/record.ts';
import { judge } from '../../../src/drill/judge/judge.ts';
import { withFault } from '../../../src/lab/faults/break.ts';
import { openLab } from '../../../src/lab/runtime/open-lab.ts';
import type { Lab } from '../../../src/lab/runtime/start-lab.ts';
import { untilInRotation, wireLab } from '../../support/balancer-lab.ts';
import { recordTraffic, usualTraffic } from '../../support/drill.ts';

const check = { protocol: 'https', intervalMs: 500, timeoutMs: 500, rise: 2, fall: 2 } as const;
/** Five clients share two cores with three servers and whatever else runs here. */
const calm = { ...usualTraffic.connections, perSecond: 5, patienceMs: 10_000 };

/** Names of their own for each run: the store outlives it. */
const operationsOf = (run: string) => ({
  perSecond: 20,
  patienceMs: 1000,
  path: '/api/v1/namespaces/drill/configmaps',
  register: `register-${run}-${process.pid}-${Date.now()}`,
  set: `set-${run}-${process.pid}-${Date.now()}`,
});

describe('traffic through a balancer that hides a failed master after a while', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await wireLab({ name: 'drill-traffic', workers: 2, balancer: { like: 'works', healthCheck: check } });
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
  });
  afterAll(async () => lab[Symbol.asyncDispose]());

  test('on a healthy cluster nothing fails, nothing is missed and nothing is lost', async () => {
    const clients = ['w1', 'w2', 'c1', 'm1', 'w1-pod'];
    const operations = operationsOf('well');
    await using traffic = await recordTraffic(
      lab,
      Object.fromEntries(clients.map((client) => [client, { ...usualTraffic, connections: calm, operations }])),
    );
    await traffic.run(1500);
    traffic.mark('fault', 'none');
    await traffic.run(6000);
    const history = await traffic.stop();
    const judged = judge(history, {
      budget: { clients: { '*': { failed: 0, outageMs: 0, allGoodAfterMs: 0, watchGapMs: 2000, stuck: 0 } } },
      watched: 'every',
    });
    expect(judged.verdict).toEqual({ is: 'within-budget' });
    expect(judged.operations.acknowledged).toBeGreaterThan(100);
    expect(judged.clients.map((c) => [c.client, c.watches?.watchers]).toSorted()).toEqual(
      clients.map((client) => [client, 3]).toSorted(),
    );
  });

  test('50 a second are started on time, however long the servers take', async () => {
    await using traffic = await recordTraffic(lab, { w1: { connections: usualTraffic.connections } });
    await traffic.run(8000);
    const history = await traffic.stop();
    const [engine] = history.filter((r): r is EngineReport => r.is === 'engine');
    const due = history.flatMap((r) => (r.is === 'attempt' ? [r.scheduledAt] : [])).toSorted((a, b) => a - b);
    const gaps = new Set(due.slice(1).map((at, i) => Math.round(at - (due[i] ?? at))));
    expect([...gaps]).toEqual([20]);
    expect(engine?.started).toBe(due.length);
    expect(((engine?.planned ?? 0) - due.length) / due.length).toBeLessThanOrEqual(0.01);
    // 8 s and the warm-up, at 50 a second, to within 1 % and what a start and a stop take.
    expect(due.length).toBeGreaterThanOrEqual(8.4 * 50);
    expect(engine?.lateMs.p99).toBeLessThan(10);
  });

  test('a frozen apiserver costs a third of the connections until it is ejected, and its streams are stuck', async () => {
    const running = await openLab(lab.name);
    const operations = operationsOf('frozen');
    // A watch is stuck when it misses something: somebody writes, although the writer on m1 is stuck as well.
    await using traffic = await recordTraffic(lab, {
      c1: { ...usualTraffic, connections: { ...usualTraffic.connections, perSecond: 10 }, operations },
      w1: { operations },
      w2: { operations },
    });
    await traffic.run(1500);
    {
      await using _ = await withFault(running, { fault: 'freeze', target: 'm1', process: 'kube-apiserver' });
      traffic.mark('fault', 'kube-apiserver of m1 frozen');
      await traffic.run(9000);
      traffic.mark('end');
    }
    const judged = judge(await traffic.stop(), {
      budget: { clients: { '*': { failed: 0, stuck: 0 } } },
      watched: 'every',
    });
    const c1 = judged.clients.find(({ client }) => client === 'c1');
    expect(judged.verdict).toMatchObject({ is: 'over-budget' });
    expect(c1?.connections?.failures).toEqual({ 'timeout tls': c1?.connections?.failed });
    // Two checks of 0.5 s each 0.5 s + up to one interval, then 2 s of patience for the last that were sent there.
    expect(c1?.connections?.allGoodAfterMs).toBeGreaterThan(2000);
    expect(c1?.connections?.allGoodAfterMs).toBeLessThan(4500);
    expect(judged.operations.problems).toEqual([]);
    const onM1 = c1?.watches?.streams.filter((s) => s.server === 'm1') ?? [];
    expect(onM1.map((s) => s.is)).toEqual(onM1.map(() => 'stuck'));
    expect(c1?.watches?.streams.filter((s) => s.server !== 'm1').map((s) => s.is)).not.toContain('stuck');
    expect([c1?.watches?.missed, c1?.watches?.duplicated]).toEqual([[], []]);
  });
});
