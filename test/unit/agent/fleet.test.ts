import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../../src/agent/backend/backend.ts';
import {
  type Change,
  decide,
  type Fleet,
  isCalm,
  lagMs,
  newFleet,
  observeMember,
  tick,
  tickMs,
  withMembers,
} from '../../../src/agent/backend/fleet.ts';

const masters = ['m1', 'm2', 'm3'].map((name) => ({ name, self: name === 'm1' }));

/** Drives a fleet: `see` gives evidence about one member, `run` lets time pass with everybody in `alive` answering. */
function drive(fleet: Fleet) {
  let at = 0;
  let current = fleet;
  const changes: string[] = [];
  const note = (all: readonly Change[]) =>
    changes.push(...all.map((c) => `${at} ${c.name} ${c.from} → ${c.to}${c.destroyFlows ? ' !' : ''}`));
  const see = (name: string, seen: Evidence) => {
    const next = observeMember(current, name, seen);
    current = next.fleet;
    note(next.changes);
  };
  const run = (until: number, alive: readonly string[], stepMs = tickMs) => {
    for (; at < until; ) {
      at += stepMs;
      for (const name of current.members.keys()) {
        if (at % 100 === 0) see(name, { is: 'asked', at });
        if (!alive.includes(name)) continue;
        see(name, { is: 'answered', at, rttMs: 1 });
        if (at % 1000 === 0) see(name, { is: 'readyz', at, ok: true });
      }
      const next = tick(current, at);
      current = next.fleet;
      note(next.changes);
    }
  };
  return {
    see,
    run,
    changes,
    decision: () => decide(current),
    now: () => at,
    jump: (ms: number) => {
      at += ms;
    },
    set: (f: (fleet: Fleet) => Fleet) => {
      current = f(current);
    },
  };
}

describe('a fleet', () => {
  test('own apiserver hangs: others at once, its flows after three seconds, itself again when it answers', () => {
    const d = drive(newFleet(masters, 0));
    d.run(2000, ['m1', 'm2', 'm3']);
    expect(d.decision()).toEqual({ backends: ['m1'], hold: true });
    d.run(2200, ['m2', 'm3']);
    expect(d.decision()).toEqual({ backends: ['m2', 'm3'], hold: true });
    d.run(6000, ['m2', 'm3']);
    d.run(9000, ['m1', 'm2', 'm3']);
    expect(d.decision()).toEqual({ backends: ['m1'], hold: true });
    expect(d.changes).toEqual([
      '1000 m1 unknown → ready',
      '1000 m2 unknown → ready',
      '1000 m3 unknown → ready',
      '2200 m1 ready → suspect',
      '5100 m1 suspect → failed !',
      '7000 m1 failed → unready',
      '8000 m1 unready → ready',
    ]);
  });

  test('everybody falls silent at once: all suspect, nobody reset, the balancer takes over', () => {
    const d = drive(newFleet(masters, 0));
    d.run(2000, ['m1', 'm2', 'm3']);
    d.run(12_000, []);
    expect(d.decision()).toEqual({ backends: [], hold: false });
    expect(d.changes.filter((line) => line.includes('failed'))).toEqual([]);
  });

  test('all crash: the last one to go is not reset', () => {
    const d = drive(newFleet(masters, 0));
    d.run(2000, ['m1', 'm2', 'm3']);
    for (const { name } of masters) {
      d.see(name, { is: 'ended', at: 2001 });
      d.see(name, { is: 'refused', at: 2002 });
    }
    expect(d.changes.slice(3)).toEqual([
      '2000 m1 ready → failed !',
      '2000 m2 ready → failed !',
      '2000 m3 ready → failed',
    ]);
  });

  test('a machine that was suspended for an hour destroys nothing on waking up', () => {
    const d = drive(newFleet(masters, 0));
    d.run(2000, ['m1', 'm2', 'm3']);
    for (const { name } of masters) d.see(name, { is: 'asked', at: 2001 });
    d.jump(3_600_000 + tickMs + lagMs);
    d.run(d.now() + 2000, ['m1', 'm2', 'm3']);
    expect(d.changes.filter((line) => line.includes('failed'))).toEqual([]);
    expect(d.decision()).toEqual({ backends: ['m1'], hold: true });
  });

  test('all late at once, one of them drained: it takes nothing, and silence leaves the balancer', () => {
    const d = drive(newFleet(masters, 0));
    d.run(2000, ['m1', 'm2', 'm3']);
    d.see('m1', { is: 'drain', at: 2000, on: true });
    d.run(2500, []);
    expect(d.decision()).toEqual({ backends: ['m2', 'm3'], hold: true });
    d.run(5500, []);
    expect(d.decision()).toEqual({ backends: [], hold: false });
  });

  test('all late at once on a node that pauses again and again: the one that is really silent gets nothing after three seconds', () => {
    const d = drive(newFleet(masters, 0));
    d.run(2000, ['m1', 'm2', 'm3']);
    // From here on m1 never answers, the others each 700 ms and late, and each time the prober itself was held up.
    let late: readonly string[] = [];
    for (let i = 0; i < 6; i += 1) {
      d.run(d.now() + 500, []);
      late = d.decision().backends;
      d.jump(200);
      for (const name of ['m2', 'm3']) d.see(name, { is: 'answered', at: d.now(), rttMs: undefined });
    }
    expect(d.changes.filter((line) => line.includes('failed'))).toEqual([]);
    expect(late).toEqual(['m2', 'm3']);
  });

  test('a member that is added is unknown, and those that stay are remembered', () => {
    const d = drive(newFleet(masters.slice(0, 2), 0));
    d.run(2000, ['m1', 'm2']);
    d.set((fleet) => withMembers(fleet, masters, 2000));
    expect(d.decision()).toEqual({ backends: ['m1'], hold: true });
    d.run(3000, ['m1', 'm2', 'm3']);
    expect(d.changes.at(-1)).toBe('3000 m3 unknown → ready');
  });

  test('while all is calm a tick changes nothing, judged one by one', () => {
    const evidence = fc.record({
      name: fc.constantFrom('m1', 'm2', 'm3'),
      is: fc.constantFrom('asked', 'answered', 'yes', 'no', 'overdue', 'ended', 'refused', 'drain', 'undrain', 'tick'),
      after: fc.oneof(fc.nat(60), fc.nat(3500)),
    });
    fc.assert(
      fc.property(fc.array(evidence, { maxLength: 60 }), (story) => {
        let fleet = newFleet(masters, 0);
        let at = 0;
        for (const { name, is, after } of story) {
          at += after;
          if (is === 'tick') {
            const calm = isCalm(fleet, at) && at - fleet.tickedAt <= tickMs + lagMs;
            for (const each of calm ? fleet.members.keys() : []) {
              const alone = observeMember(fleet, each, { is: 'tick', at, othersHeardAt: at });
              expect([alone.changes, alone.fleet.members]).toEqual([[], fleet.members]);
            }
            fleet = tick(fleet, at).fleet;
          } else fleet = observeMember(fleet, name, evidenceOf(is, at)).fleet;
        }
      }),
      { numRuns: 500 },
    );
  });
});

function evidenceOf(is: string, at: number): Evidence {
  switch (is) {
    case 'answered':
      return { is, at, rttMs: 1 };
    case 'yes':
    case 'no':
      return { is: 'readyz', at, ok: is === 'yes' };
    case 'overdue':
      return { is: 'readyz-overdue', at };
    case 'drain':
    case 'undrain':
      return { is: 'drain', at, on: is === 'drain' };
    case 'ended':
    case 'refused':
      return { is, at };
    default:
      return { is: 'asked', at };
  }
}
