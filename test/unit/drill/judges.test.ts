import { describe, expect, test } from 'vitest';
import type { DrillRecord, Outcome } from '../../../src/drill/history/record.ts';
import type { Budget } from '../../../src/drill/judge/budget.ts';
import { judgeConnections } from '../../../src/drill/judge/connections.ts';
import { judgeHolders } from '../../../src/drill/judge/holders.ts';
import { judge } from '../../../src/drill/judge/judge.ts';
import { judgeRegister } from '../../../src/drill/judge/register.ts';
import { judgeSet } from '../../../src/drill/judge/set.ts';
import { judgeStreams } from '../../../src/drill/judge/streams.ts';
import { judgeWatches } from '../../../src/drill/judge/watches.ts';
import { windowOf } from '../../../src/drill/judge/window.ts';
import { attempt, did, engine, marks, steadily, watched } from '../../support/history.ts';

const window = windowOf(marks) ?? { beginAt: 0, injectAt: 0, faultAt: 0, healedAt: undefined, endAt: 0 };
const timeout: Outcome = { is: 'timeout', during: 'answer' };
const tight: Budget = {
  clients: { '*': { failed: 0, outageMs: 100, allGoodAfterMs: 0, watchGapMs: 500, stuck: 0 } },
  doubleVipMs: 100,
};

describe('connections', () => {
  test('nothing failed: no outage, good and steady at once', () => {
    expect(judgeConnections(steadily('m1', 20), window)).toEqual({
      attempts: 450,
      failed: 0,
      failures: {},
      longestOutageMs: 0,
      allGoodAfterMs: 0,
      steadyAfterMs: 0,
      beforeMs: { p50: 5, p99: 5, max: 5 },
      afterMs: { p50: 5, p99: 5, max: 5 },
    });
  });

  test('one in three times out for two seconds: short outages, many failures, all good when the last has timed out', () => {
    const history = steadily('m1', 20, (at) =>
      at >= 1000 && at < 3000 && (at / 20) % 3 === 0 ? { outcome: timeout, took: 1000 } : {},
    );
    // Due at 1020, 1080 … 2940: (2940 - 1020) / 60 + 1 = 33 of them; the last ends at 3940.
    expect(judgeConnections(history, window)).toMatchObject({
      failed: 33,
      failures: { 'timeout answer': 33 },
      longestOutageMs: 40,
      allGoodAfterMs: 2940,
      steadyAfterMs: 1940,
    });
  });

  test('everything fails for a while: the outage is from the last good one to the first good one', () => {
    const history = steadily('m1', 20, (at) => (at >= 1000 && at < 1600 ? { outcome: { is: 'refused' } } : {}));
    expect(judgeConnections(history, window)).toMatchObject({
      failed: 30,
      failures: { refused: 30 },
      longestOutageMs: 620,
      allGoodAfterMs: 585,
    });
  });

  test('what was under way when the fault came counts; what had ended does not', () => {
    const history = [
      attempt('m1', 900, timeout, 50),
      attempt('m1', 980, timeout, 1000),
      attempt('m1', 2000),
      attempt('m1', 2100),
    ];
    expect(judgeConnections(history, window)).toMatchObject({ attempts: 3, failed: 1, allGoodAfterMs: 980 });
  });

  test('a held SYN fails nothing and is not steady', () => {
    const history = steadily('m1', 20, (at) => (at >= 1000 && at < 1060 ? { took: 1030 } : {}));
    expect(judgeConnections(history, window)).toMatchObject({ failed: 0, allGoodAfterMs: 0, steadyAfterMs: 40 });
  });

  test('failures that go on to the end never end', () => {
    const history = steadily('m1', 20, (at) => (at >= 1000 && at % 1000 === 0 ? { outcome: timeout } : {}));
    expect(judgeConnections(history, window)).toMatchObject({ allGoodAfterMs: 'never', steadyAfterMs: 'never' });
  });

  test('an outage that lasts to the end is counted up to there', () => {
    const history = steadily('m1', 20, (at) => (at >= 1000 ? { outcome: timeout } : {}));
    expect(judgeConnections(history, window)).toMatchObject({ longestOutageMs: 9020, allGoodAfterMs: 'never' });
  });
});

describe('watches', () => {
  const every = { is: 'every' } as const;
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  test('each event once and in order', () => {
    expect(judgeWatches(watched('m1', range(1, 100)), 'm1', window, every)).toEqual({
      watchers: 1,
      events: 100,
      longestGapMs: 100,
      missed: [],
      duplicated: [],
      disordered: [],
      streams: [{ watcher: 0, server: 'm1', is: 'alive', endedAfterMs: undefined }],
    });
  });

  test('a planted skip, a planted repetition, a planted swap', () => {
    const versions = [...range(1, 40), ...range(42, 50), 50, 52, 51, ...range(53, 97)];
    expect(judgeWatches(watched('m1', versions), 'm1', window, every)).toMatchObject({
      missed: ['0 41'],
      duplicated: ['0 50'],
      disordered: ['0 51'],
    });
  });

  test('a resumed stream must go on where the last one was', () => {
    const resumed = (since: number, versions: readonly number[]): DrillRecord[] => [
      ...watched('m1', range(1, 20)).slice(0, -1),
      { is: 'watch-ended', client: 'm1', watcher: 0, stream: 0, at: 2500, how: 'reset' },
      { is: 'watch-opened', client: 'm1', watcher: 0, stream: 1, at: 2600, server: 'm2', since },
      ...versions.map(
        (version, i): DrillRecord => ({
          is: 'watch-event',
          client: 'm1',
          watcher: 0,
          stream: 1,
          at: 2600 + i * 100,
          version,
        }),
      ),
    ];
    expect(judgeWatches(resumed(20, range(21, 90)), 'm1', window, every)).toMatchObject({
      longestGapMs: 700,
      missed: [],
      duplicated: [],
      streams: [{ watcher: 0, server: 'm1', is: 'reset', endedAfterMs: 1500 }],
    });
    expect(judgeWatches(resumed(20, range(20, 90)), 'm1', window, every)).toMatchObject({ duplicated: ['0 20'] });
    expect(judgeWatches(resumed(20, range(22, 90)), 'm1', window, every)).toMatchObject({ missed: ['0 21'] });
  });

  test('a stream that says nothing and does not end is stuck, and its gap lasts to the end', () => {
    const history = watched('m1', range(1, 12));
    expect(judgeWatches(history, 'm1', window, every)).toMatchObject({
      longestGapMs: 8900,
      streams: [{ is: 'stuck' }],
    });
  });

  test('what a stuck stream says after the end, when its server has been let go, makes it no better', () => {
    const history = [
      ...watched('m1', range(1, 12)),
      { is: 'watch-event' as const, client: 'm1', watcher: 0, stream: 0, at: window.endAt + 50, version: 13 },
    ];
    expect(judgeWatches(history, 'm1', window, every).streams).toMatchObject([{ is: 'stuck' }]);
  });

  test('acknowledged writes must be seen; unanswered ones need not', () => {
    const operations = [
      { ...did('r', { op: 'write', value: 'a' }, 2000, 2010), version: 5 },
      { ...did('r', { op: 'write', value: 'b' }, 3000, 3010), version: 7 },
      { ...did('r', { op: 'write', value: 'c' }, 4000, 4010, 'unknown'), version: 8 },
      { ...did('r', { op: 'write', value: 'd' }, 9500, 9900), version: 9 },
    ];
    const judged = judgeWatches(watched('m1', [1, 5]), 'm1', window, { is: 'acknowledged', operations });
    expect(judged.missed).toEqual(['0 7']);
  });
});

describe('a register', () => {
  const write = (value: string, from: number, to: number, result: 'ok' | 'unknown' | 'failed' = 'ok') =>
    did('r', { op: 'write', value }, from, to, result);
  const read = (value: string, from: number, to: number) => did('r', { op: 'read', value }, from, to);

  test.each([
    { name: 'written and read', history: [write('a', 0, 10), read('a', 20, 30)] },
    {
      name: 'read while written: old or new',
      history: [read('0', 0, 5), write('a', 10, 50), read('0', 20, 30), read('a', 25, 60)],
    },
    { name: 'two writes at once, either first', history: [write('a', 0, 50), write('b', 10, 40), read('a', 60, 70)] },
    {
      name: 'an unanswered write that took effect late',
      history: [write('a', 0, 10), write('b', 20, 30, 'unknown'), read('a', 40, 50), read('b', 60, 70)],
    },
    {
      name: 'an unanswered write that never did',
      history: [write('a', 0, 10), write('b', 20, 30, 'unknown'), read('a', 40, 50)],
    },
  ])('is in order: $name', ({ history }) => expect(judgeRegister('r', history)).toEqual([]));

  test.each([
    {
      name: 'a lost write',
      history: [write('a', 0, 10), write('b', 20, 30), read('a', 40, 50)],
      why: 'the write is lost',
    },
    {
      name: 'an old value after a new one',
      history: [write('a', 0, 10), write('b', 20, 80), read('b', 30, 40), read('a', 50, 60), read('b', 65, 70)],
      why: 'had replaced it',
    },
    {
      name: 'a value from nowhere',
      history: [write('a', 0, 10), read('x', 20, 30), read('y', 40, 50)],
      why: 'nobody wrote it',
    },
    { name: 'a value before its write', history: [read('a', 0, 5), write('a', 10, 20)], why: 'before it was written' },
    {
      name: 'the value of before',
      history: [read('0', 0, 5), write('a', 10, 20), read('0', 30, 40)],
      why: 'the write is lost',
    },
  ])('is not: $name', ({ history, why }) => {
    expect(
      judgeRegister('r', history)
        .map((p) => p.why)
        .join('\n'),
    ).toContain(why);
  });
});

describe('a set', () => {
  const add = (element: string, from: number, to: number, result: 'ok' | 'unknown' = 'ok') =>
    did('s', { op: 'add', element }, from, to, result);
  const list = (elements: readonly string[], from: number, to: number) => did('s', { op: 'list', elements }, from, to);

  test('everything acknowledged is listed; what was not answered may come late', () => {
    const history = [add('a', 0, 10), add('b', 5, 15, 'unknown'), list(['a'], 20, 30), list(['a', 'b'], 40, 50)];
    expect(judgeSet('s', history)).toEqual([]);
  });

  test.each([
    {
      name: 'lost',
      history: [add('a', 0, 10), list([], 20, 30)],
      why: '`a`, acknowledged, is not in a later list: the write is lost',
    },
    {
      name: 'gone again',
      history: [add('a', 0, 10, 'unknown'), list(['a'], 20, 30), list([], 40, 50)],
      why: '`a`, listed before, is not in a later list: the write is lost',
    },
    { name: 'a stranger', history: [list(['x'], 20, 30)], why: '`x` was listed and nobody added it' },
  ])('$name', ({ history, why }) => expect(judgeSet('s', history)).toEqual([{ object: 's', why }]));
});

test('holders: a planted 300 ms double VIP, and 700 ms of nobody before it', () => {
  const seen = (at: number, node: string, holds: boolean): DrillRecord => ({
    is: 'holding',
    at,
    node,
    address: '10.0.0.9',
    holds,
  });
  const history = [
    seen(0, 'm1', true),
    seen(0, 'm2', false),
    seen(2000, 'm1', false),
    seen(2700, 'm2', true),
    seen(5000, 'm1', true),
    seen(5300, 'm2', false),
  ];
  expect(judgeHolders(history, 10_000)).toEqual([
    { address: '10.0.0.9', doubleMs: 300, doubleOn: ['m1', 'm2'], nobodyMs: 700, moves: 2 },
  ]);
});

describe('a log that is followed', () => {
  const opened = (stream: number, at: number, server: string): DrillRecord => ({
    is: 'stream',
    client: 'm1',
    stream,
    at,
    what: 'opened',
    server,
  });
  const ticks = (stream: number, from: number, to: number): DrillRecord[] =>
    Array.from({ length: Math.floor((to - from) / 500) + 1 }, (_, i) => ({
      is: 'stream',
      client: 'm1',
      stream,
      at: from + i * 500,
      what: 'tick',
      tick: i,
    }));
  const ended = (stream: number, at: number, how: 'reset' | 'stopped'): DrillRecord => ({
    is: 'stream',
    client: 'm1',
    stream,
    at,
    what: 'ended',
    how,
  });

  test('reset 1.5 s after the fault and opened again: the gap is from the last line to the next', () => {
    const history = [
      opened(0, 0, 'm1'),
      ...ticks(0, 100, 1100),
      ended(0, 2500, 'reset'),
      opened(1, 2600, 'm2'),
      ...ticks(1, 2700, 9700),
      ended(1, 10_000, 'stopped'),
    ];
    expect(judgeStreams(history, 'm1', window)).toEqual({
      ticks: 18,
      longestGapMs: 1600,
      atFault: { server: 'm1', is: 'reset', endedAfterMs: 1500 },
      reopened: 1,
    });
  });

  test('one that never says anything again has its gap up to the end', () => {
    const history = [opened(0, 0, 'm1'), ...ticks(0, 100, 1100), ended(0, 10_000, 'stopped')];
    expect(judgeStreams(history, 'm1', window)).toEqual({
      ticks: 3,
      longestGapMs: 8900,
      atFault: { server: 'm1', is: 'alive' },
      reopened: 0,
    });
  });

  test('a client without one', () => expect(judgeStreams(marks, 'm1', window)).toBeUndefined());
});

test('a client that went down with its node is not judged, and makes no bad experiment', () => {
  const history = [...marks, ...steadily('m1', 20).slice(0, 50), ...steadily('w1', 20), engine('w1', 500)];
  const judged = judge(history, { budget: tight, watched: 'every', lost: ['m1'] });
  expect([judged.verdict, judged.clients.map(({ client }) => client)]).toEqual([{ is: 'within-budget' }, ['w1']]);
});

describe('the verdict', () => {
  const good = [...marks, ...steadily('m1', 20), engine('m1', 500)];
  const of = (history: readonly DrillRecord[]) => judge(history, { budget: tight, watched: 'every' }).verdict;

  test('within budget', () => expect(of(good)).toEqual({ is: 'within-budget' }));

  test('late starts before the beginning do not count, nor does one in a hundred', () => {
    const late = (at: number) => (at % 2500 === 0 ? { late: 51 } : {});
    const first = steadily('m1', 20, () => ({ late: 400 })).slice(0, 50);
    const warmUp = first.map((a) => ({ ...a, scheduledAt: a.scheduledAt - 1000, startedAt: a.startedAt - 1000 }));
    expect(of([...marks, ...warmUp, ...steadily('m1', 20, late), engine('m1', 550)])).toEqual({ is: 'within-budget' });
  });

  test('every planted violation is named', () => {
    const history: DrillRecord[] = [
      ...marks,
      ...steadily('m1', 20, (at) => (at >= 1000 && at < 1200 ? { outcome: { is: 'refused' } } : {})),
      engine('m1', 500),
      ...watched('m1', [1, 2, 4, ...Array.from({ length: 90 }, (_, i) => 5 + i)]),
      did('register', { op: 'write', value: 'a' }, 0, 10),
      did('register', { op: 'write', value: 'b' }, 20, 30),
      did('register', { op: 'read', value: 'a' }, 40, 50),
      { is: 'holding', at: 2000, node: 'm1', address: '10.0.0.9', holds: true },
      { is: 'holding', at: 2000, node: 'm2', address: '10.0.0.9', holds: true },
      { is: 'holding', at: 2300, node: 'm1', address: '10.0.0.9', holds: false },
    ].map((record) => ('client' in record ? { ...record, client: 'm1' } : record)) as DrillRecord[];
    expect(of(history)).toEqual({
      is: 'over-budget',
      breaches: [
        'm1: 10 failed, budget 0',
        'm1: 220 ms outage, budget 100',
        'm1: 185 ms until all good, budget 0',
        'm1: 800 ms between watch events, budget 500',
        'm1: 1 watch events missed',
        'register: `b` was written while `a` was read before and after it: the write is lost, or an old value came back',
        '10.0.0.9: 300 ms on two nodes (m1, m2), budget 100',
      ],
    });
  });

  test.each([
    { name: 'no fault', history: good.filter((r) => r.is !== 'mark'), reason: 'the fault was never in force' },
    {
      name: 'no report',
      history: good.filter((r) => r.is !== 'engine'),
      reason: 'the traffic of m1 ended without a report',
    },
    {
      name: 'too slow',
      history: [...marks, ...steadily('m1', 20), engine('m1', 506, 500)],
      reason: 'm1 started 500 of 506 connections',
    },
    {
      name: 'late',
      history: [...marks, ...steadily('m1', 20, (at) => (at % 1600 === 0 ? { late: 51 } : {})), engine('m1', 500)],
      reason: 'm1 started 7 of 500 connections more than 50 ms late',
    },
    {
      name: 'records lost',
      history: [...marks, ...steadily('m1', 20).slice(10), engine('m1', 500)],
      reason: 'm1 reported 490 of the 500 connections that it started',
    },
    {
      name: 'broken before',
      history: [...marks, ...steadily('m1', 20, (at) => (at === 300 ? { outcome: timeout } : {})), engine('m1', 500)],
      reason: 'm1 had 1 of 25 connections fail before the fault',
    },
  ])('a bad experiment: $name', ({ history, reason }) => {
    expect(of(history)).toEqual({ is: 'bad-experiment', reasons: [reason] });
  });
});
