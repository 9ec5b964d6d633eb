import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BackendState } from '../../../src/agent/backend/backend.ts';
import {
  afterEnsure,
  awayFrom,
  forgotten,
  type InForce,
  mayRenew,
  nextTransition,
  nothingInForce,
  type Target,
  type Wanted,
} from '../../../src/agent/prober/steering.ts';

const endpoints = ['10.9.9.9'];
const to = (...backends: string[]): Target => ({ backends, hold: backends.length > 0 });
const inForce = (target: Target | undefined, change: Partial<InForce> = {}): InForce => ({
  ensured: endpoints,
  target,
  epoch: 1,
  holdWorks: true,
  endpoints,
  ...change,
});

describe('nextTransition()', () => {
  test.each<{ name: string; wanted: Wanted; inForce: InForce; want: unknown }>([
    {
      name: 'no endpoint is known: nothing',
      wanted: { endpoints: [], target: to('a'), away: [] },
      inForce: nothingInForce,
      want: undefined,
    },
    {
      name: 'at start the table comes first',
      wanted: { endpoints, target: undefined, away: [] },
      inForce: nothingInForce,
      want: { op: 'ensure', endpoints },
    },
    {
      name: 'undecided: what an earlier agent left stays',
      wanted: { endpoints, target: undefined, away: [] },
      inForce: inForce(undefined),
      want: undefined,
    },
    {
      name: 'the first target',
      wanted: { endpoints, target: to('a'), away: [] },
      inForce: inForce(undefined),
      want: { op: 'steer', backends: ['a'], hold: true, away: [] },
    },
    {
      name: 'nothing to do',
      wanted: { endpoints, target: to('a'), away: [] },
      inForce: inForce(to('a')),
      want: undefined,
    },
    {
      name: 'a changed target goes before a changed endpoint',
      wanted: { endpoints: ['10.9.9.8'], target: to('b'), away: [] },
      inForce: inForce(to('a')),
      want: { op: 'steer', backends: ['b'], hold: true, away: [] },
    },
    {
      name: 'what waits for a backend that is away starts over, unless that one is all there is',
      wanted: { endpoints, target: to('b'), away: ['a', 'b'] },
      inForce: inForce(to('a')),
      want: { op: 'steer', backends: ['b'], hold: true, away: ['a'] },
    },
    {
      name: 'somebody who is away is no reason for a transition',
      wanted: { endpoints, target: to('a'), away: ['b'] },
      inForce: inForce(to('a')),
      want: undefined,
    },
    {
      name: 'a changed endpoint',
      wanted: { endpoints: ['10.9.9.8'], target: to('a'), away: [] },
      inForce: inForce(to('a')),
      want: { op: 'ensure', endpoints: ['10.9.9.8'] },
    },
    {
      name: 'to the balancer',
      wanted: { endpoints, target: to(), away: [] },
      inForce: inForce(to('a')),
      want: { op: 'steer', backends: [], hold: false, away: [] },
    },
    {
      name: 'from the balancer back: nobody looked at the table meanwhile',
      wanted: { endpoints, target: to('a'), away: [] },
      inForce: inForce(to()),
      want: { op: 'ensure', endpoints },
    },
    {
      name: 'a kernel that cannot hold is not asked to',
      wanted: { endpoints, target: to('a'), away: [] },
      inForce: inForce(undefined, { holdWorks: false }),
      want: { op: 'steer', backends: ['a'], hold: false, away: [] },
    },
    {
      name: 'and has nothing left to do then',
      wanted: { endpoints, target: to('a'), away: [] },
      inForce: inForce({ backends: ['a'], hold: false }, { holdWorks: false }),
      want: undefined,
    },
  ])('$name', ({ wanted, inForce, want }) => {
    expect(nextTransition(wanted, inForce)).toEqual(want);
  });

  test('carrying out what is asked leads to what is wanted in at most three steps, from anywhere', () => {
    const target = fc.option(fc.record({ backends: fc.subarray(['a', 'b', 'c']), hold: fc.boolean() }), {
      nil: undefined,
    });
    const list = fc.subarray(['10.9.9.8', '10.9.9.9'], { minLength: 1 });
    fc.assert(
      fc.property(list, target, list, target, fc.boolean(), fc.boolean(), (ends, wants, had, has, holdWorks, broke) => {
        let now: InForce = { ensured: had, target: has, epoch: 1, holdWorks, endpoints: had };
        if (broke) now = forgotten(now);
        const wanted: Wanted = { endpoints: ends, target: wants, away: [] };
        let steps = 0;
        for (let next = nextTransition(wanted, now); next !== undefined; next = nextTransition(wanted, now)) {
          steps += 1;
          if (steps > 3) break;
          now =
            next.op === 'ensure'
              ? afterEnsure(next.endpoints, { endpoints: next.endpoints, epoch: 2, holdWorks })
              : { ...now, target: { backends: next.backends, hold: next.hold } };
        }
        expect(steps).toBeLessThanOrEqual(3);
        expect(now.ensured).toEqual(ends);
        if (wants !== undefined) {
          expect(now.target).toEqual({ backends: wants.backends, hold: wants.hold && holdWorks });
        }
      }),
    );
  });
});

describe('awayFrom()', () => {
  test('names who does not answer, among those that are known and those that are steered to', () => {
    const states: Record<string, BackendState> = {
      a: 'ready',
      b: 'unready',
      c: 'draining',
      d: 'suspect',
      e: 'failed',
      f: 'unknown',
    };
    const known = ['f', 'e', 'd', 'c', 'b', 'a'];
    expect(awayFrom(to('a', 'gone'), known, (address) => states[address])).toEqual(['d', 'e', 'f', 'gone']);
    expect(awayFrom(undefined, ['a', 'b'], (address) => states[address])).toEqual([]);
  });
});

describe('mayRenew()', () => {
  const states = (of: Record<string, BackendState>) => (address: string) => of[address];
  test.each<{
    name: string;
    current: Target | undefined;
    wanted: Target | undefined;
    of: Record<string, BackendState>;
    want: boolean;
  }>([
    { name: 'steered as wanted', current: to('a'), wanted: to('a'), of: { a: 'ready' }, want: true },
    { name: 'all are unready, and wanted so', current: to('a'), wanted: to('a'), of: { a: 'unready' }, want: true },
    {
      name: 'something better is wanted',
      current: to('b', 'c'),
      wanted: to('a'),
      of: { b: 'ready', c: 'ready' },
      want: true,
    },
    { name: 'the only one is dead', current: to('a'), wanted: to('b'), of: { a: 'failed' }, want: false },
    {
      name: 'one of two is suspect',
      current: to('a', 'b'),
      wanted: to('b'),
      of: { a: 'suspect', b: 'ready' },
      want: false,
    },
    { name: 'one has gone', current: to('a'), wanted: to('b'), of: {}, want: false },
    { name: 'the balancer', current: to(), wanted: to(), of: {}, want: false },
    {
      name: 'the balancer is wanted, nobody took it',
      current: to('a'),
      wanted: to(),
      of: { a: 'suspect' },
      want: false,
    },
    {
      name: 'the balancer is wanted although the one in force is well: it has no address that is steered any more',
      current: to('a'),
      wanted: to(),
      of: { a: 'ready' },
      want: false,
    },
    { name: 'undecided', current: undefined, wanted: undefined, of: { a: 'ready' }, want: false },
  ])('$name: $want', ({ current, wanted, of, want }) => {
    expect(mayRenew(current, wanted, states(of))).toBe(want);
  });
});
