import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deadAfterMs } from '../../../src/agent/backend/backend.ts';
import { lagMs, tickMs } from '../../../src/agent/backend/fleet.ts';
import { type Truth, type World, world } from '../../support/agent/world.ts';

// The state machine against what is true in a simulated world. The rules below know nothing of how it judges; they say
// what a person would want, with the times that docs promise.

/** A PING each 100 ms, 50 ms of patience, a tick's worth of steps of the simulation. */
const seenWithinMs = 100 + 50 + tickMs;
/** A hang that the prober could watch without being held up itself. */
const deadWithinMs = deadAfterMs + seenWithinMs;
/** 48 timely answers after many suspicions, then two /readyz, at worst one after the other. */
const trustedWithinMs = 4800 + 2100 + 1000;

type Model = { readonly names: Set<string> };
type Do = fc.Command<Model, World>;

const pick = (n: number, m: Model) => [...m.names][n % Math.max(1, m.names.size)] ?? 'm1';

class Act implements Do {
  readonly text: string;
  readonly act: (world: World, model: Model) => void;
  constructor(text: string, act: (world: World, model: Model) => void) {
    this.text = text;
    this.act = act;
  }
  check = () => true;
  run(model: Model, real: World): void {
    this.act(real, model);
    rules(real);
  }
  toString = () => this.text;
}

/** How long the prober has been able to watch something that is true since `since`. */
const watched = (real: World, since: number) => real.at() - Math.max(since, real.stalledAt());

function rules(real: World): void {
  const { fleet, truths } = { fleet: real.fleet(), truths: real.truths };
  expect([...fleet.members.keys()]).toEqual([...truths.keys()]);
  for (const [name, truth] of truths) {
    const state = real.state(name);
    const backend = fleet.members.get(name)?.backend;
    const about = `${name} is ${state}, truly ${truth.is} for ${real.at() - truth.since} ms, ready ${truth.ready}`;
    const since = Math.max(truth.since, truth.readySince);
    if (truth.is === 'well' && watched(real, since) > trustedWithinMs) {
      expect(state, about).toBe(truth.drained ? 'draining' : truth.ready ? 'ready' : 'unready');
    }
    if (truth.is !== 'well' && watched(real, truth.since) > seenWithinMs) {
      expect(['suspect', 'failed', 'unknown'], about).toContain(state);
    }
    if (truth.is === 'crashed' && truth.everAnswered && watched(real, truth.since) > 1100) {
      expect(['failed', 'suspect', 'unknown'], about).toContain(state);
    }
    // What is kept of one apiserver does not grow with what happens.
    expect(backend?.suspicions.length).toBeLessThanOrEqual(8);
  }

  const others = (name: string) => [...truths].filter(([other]) => other !== name).map(([, truth]) => truth);
  const steady = (truth: Truth) => truth.is === 'well' && watched(real, truth.since) > deadWithinMs;
  for (const [name, truth] of truths) {
    const dead = truth.is === 'hung' && truth.everAnswered && watched(real, truth.since) > deadWithinMs;
    if (dead && others(name).some(steady)) expect(real.state(name)).not.toBe('suspect');
  }

  const decision = real.decision();
  const wellReady = [...truths].filter(
    ([, t]) =>
      t.is === 'well' && t.ready && !t.drained && watched(real, Math.max(t.since, t.readySince)) > trustedWithinMs,
  );
  // As soon as somebody is surely good, nothing else is chosen but what could be good too.
  if (wellReady.length > 0) {
    expect(decision.backends.length).toBeGreaterThan(0);
    for (const name of decision.backends) expect(real.state(name)).toBe('ready');
    const own = [...fleet.members].find(([, member]) => member.self)?.[0];
    if (own !== undefined && real.state(own) === 'ready') expect(decision.backends).toEqual([own]);
  }
  for (const name of decision.backends) expect(truths.get(name)?.drained).toBe(false);
  // Flows die at most once for each outage that there really was, and never on one that was always well.
  for (const [name, { deaths, outages }] of truths) {
    expect(deaths, `${name} died ${deaths} times in ${outages} outages`).toBeLessThanOrEqual(outages);
  }
}

const names = ['m1', 'm2', 'm3'];
const some = fc.nat(4);
const commands: fc.Arbitrary<Do>[] = [
  some.map((n) => new Act(`crash ${n}`, (w, m) => w.is(pick(n, m), 'crashed'))),
  some.map((n) => new Act(`hang ${n}`, (w, m) => w.is(pick(n, m), 'hung'))),
  some.map((n) => new Act(`heal ${n}`, (w, m) => w.is(pick(n, m), 'well'))),
  fc.tuple(some, fc.boolean()).map(([n, on]) => new Act(`ready ${n} ${on}`, (w, m) => w.ready(pick(n, m), on))),
  fc.tuple(some, fc.boolean()).map(([n, on]) => new Act(`drain ${n} ${on}`, (w, m) => w.drain(pick(n, m), on))),
  fc.integer({ min: 1, max: 200 }).map((n) => new Act(`run ${n * tickMs}`, (w) => w.run(n * tickMs))),
  fc.integer({ min: 20, max: 400 }).map((n) => new Act(`run ${n * tickMs}`, (w) => w.run(n * tickMs))),
  fc
    .oneof(fc.integer({ min: lagMs + tickMs + 1, max: 5000 }), fc.constantFrom(60_000, 3_600_000, 7 * 86_400_000))
    .map((ms) => new Act(`stall ${ms}`, (w) => w.stall(ms))),
  some.map(
    (n) =>
      new Act(`join m${n + 2}`, (w, m) => {
        w.join(`m${n + 2}`);
        m.names.add(`m${n + 2}`);
      }),
  ),
  some.map(
    (n) =>
      new Act(`leave m${n + 2}`, (w, m) => {
        w.leave(`m${n + 2}`);
        m.names.delete(`m${n + 2}`);
      }),
  ),
];

describe('the fleet in a world where anything happens', () => {
  test.each([{ self: 'm1' }, { self: undefined }])('seen from $self, holds what it promises', ({ self }) => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 40 }), (all) => {
        fc.modelRun(() => ({ model: { names: new Set(names) }, real: world(names, self) }), all);
      }),
      { numRuns: 120 },
    );
  });

  test('an hour in which everything happens leaves nothing behind', () => {
    const real = world(names, 'm1');
    const size = () => JSON.stringify([...real.fleet().members]).length;
    real.run(20_000);
    const before = size();
    for (let minute = 0; minute < 60; minute += 1) {
      const name = names[minute % 3] ?? 'm1';
      const fault = (['crashed', 'hung', 'well'] as const)[minute % 3 === 0 ? minute % 2 : 2] ?? 'well';
      real.is(name, fault);
      if (minute % 7 === 0) real.stall(900);
      real.run(5000);
      real.is(name, 'well');
      real.run(55_000);
      rules(real);
      expect(names.map((each) => real.state(each))).toEqual(['ready', 'ready', 'ready']);
    }
    // Numbers grow longer, and up to eight times of suspicions are kept for each.
    expect(size()).toBeLessThan(before + 3 * 8 * 12 + 200);
  });
});
