import type { Evidence } from '../../../src/agent/backend/backend.ts';
import {
  type Change,
  decide,
  type Fleet,
  newFleet,
  observeMember,
  overdueAt,
  tick,
  tickMs,
  withMembers,
} from '../../../src/agent/backend/fleet.ts';

/**
 * Apiservers in simulated time, and what a prober would see of them: the evidence that `keepProbing` gives at a master's
 * timing, without sockets. What is true is kept apart from what the fleet believes, so that the two can be compared.
 */
export interface Truth {
  /** Since when it is so. */
  since: number;
  is: 'well' | 'crashed' | 'hung';
  ready: boolean;
  readySince: number;
  drained: boolean;
  everAnswered: boolean;
  /** Real outages that may end flows: crashes, and hangs of three seconds. */
  outages: number;
  /** How often its flows were ended. */
  deaths: number;
}

interface Wire {
  askedAt: number | undefined;
  connected: boolean;
  redialAt: number;
  pause: number;
  nextPing: number;
  nextReadyz: number;
}

const rttMs = 1;
const stepMs = tickMs / 2;

export function world(names: readonly string[], self: string | undefined) {
  let at = 0;
  let fleet: Fleet = newFleet(
    names.map((name) => ({ name, self: name === self })),
    0,
  );
  const truths = new Map<string, Truth>();
  const wires = new Map<string, Wire>();
  /** The last time that the prober itself was held up. */
  let stalledAt = Number.NEGATIVE_INFINITY;

  const note = (all: readonly Change[]) => {
    for (const { name, destroyFlows } of all) {
      const truth = truths.get(name);
      if (destroyFlows && truth !== undefined) truth.deaths += 1;
    }
  };
  const see = (name: string, seen: Evidence) => {
    const next = observeMember(fleet, name, seen);
    fleet = next.fleet;
    note(next.changes);
  };

  const add = (name: string) => {
    truths.set(name, {
      since: at,
      is: 'well',
      ready: true,
      readySince: at,
      drained: false,
      everAnswered: false,
      outages: 0,
      deaths: 0,
    });
    wires.set(name, {
      askedAt: undefined,
      connected: false,
      redialAt: at,
      pause: 20,
      nextPing: at,
      nextReadyz: at,
    });
  };
  for (const name of names) add(name);

  const answer = (name: string, wire: Wire) => {
    if (wire.askedAt === undefined) return;
    see(name, { is: 'answered', at, rttMs: Math.max(rttMs, at - wire.askedAt) });
    wire.askedAt = undefined;
    const truth = truths.get(name);
    if (truth !== undefined) truth.everAnswered = true;
  };

  /** Everything that is due at this moment for one apiserver. */
  const step = (name: string, truth: Truth, wire: Wire) => {
    if (!wire.connected) {
      if (at < wire.redialAt) return;
      if (wire.askedAt === undefined) {
        wire.askedAt = at;
        see(name, { is: 'asked', at });
      }
      if (truth.is === 'crashed') {
        see(name, { is: 'refused', at });
        wire.redialAt = at + wire.pause;
        wire.pause = Math.min(1000, wire.pause * 2);
        return;
      }
      if (truth.is === 'hung') return;
      answer(name, wire);
      wire.connected = true;
      wire.pause = 20;
      wire.nextReadyz = at;
    }
    if (truth.is === 'well' && wire.askedAt !== undefined) answer(name, wire);
    if (at >= wire.nextPing && wire.askedAt === undefined) {
      wire.askedAt = at;
      wire.nextPing = at + 100;
      see(name, { is: 'asked', at });
      if (truth.is === 'well') answer(name, wire);
    }
    if (at >= wire.nextReadyz) {
      wire.nextReadyz = at + 1000;
      if (truth.is === 'well') see(name, { is: 'readyz', at, ok: truth.ready });
      else see(name, { is: 'readyz-overdue', at });
    }
  };

  const is = (name: string, next: Truth['is']) => {
    const truth = truths.get(name);
    const wire = wires.get(name);
    if (truth === undefined || wire === undefined || truth.is === next) return;
    truth.is = next;
    truth.since = at;
    if (next === 'crashed') {
      truth.outages += 1;
      if (wire.connected) {
        wire.connected = false;
        see(name, { is: 'ended', at });
        wire.askedAt ??= at;
      }
      wire.redialAt = at;
    }
    if (next === 'hung') truth.outages += 1;
  };

  return {
    is,
    truths: truths as ReadonlyMap<string, Truth>,
    at: () => at,
    stalledAt: () => stalledAt,
    fleet: () => fleet,
    decision: () => decide(fleet),
    state: (name: string) => fleet.members.get(name)?.backend.state,
    run(ms: number) {
      for (const end = at + ms; at < end; ) {
        at += stepMs;
        for (const [name, truth] of truths) {
          const wire = wires.get(name);
          if (wire !== undefined) step(name, truth, wire);
        }
        // A prober has a timer for what is overdue between two ticks.
        if (at - fleet.tickedAt < tickMs && at <= (overdueAt(fleet) ?? Number.POSITIVE_INFINITY)) continue;
        const next = tick(fleet, at);
        fleet = next.fleet;
        note(next.changes);
      }
    },
    /** The prober is held up (or the whole machine sleeps): nothing is seen, and the next thing is a late tick. */
    stall(ms: number) {
      at += ms;
      stalledAt = at;
      const next = tick(fleet, at);
      fleet = next.fleet;
      note(next.changes);
    },
    ready(name: string, on: boolean) {
      const truth = truths.get(name);
      if (truth === undefined || truth.ready === on) return;
      truth.ready = on;
      truth.readySince = at;
    },
    drain(name: string, on: boolean) {
      const truth = truths.get(name);
      if (truth === undefined) return;
      truth.drained = on;
      see(name, { is: 'drain', at, on });
    },
    join(name: string) {
      if (truths.has(name)) return;
      add(name);
      fleet = withMembers(
        fleet,
        [...truths.keys()].map((each) => ({ name: each, self: each === self })),
        at,
      );
    },
    leave(name: string) {
      truths.delete(name);
      wires.delete(name);
      fleet = withMembers(
        fleet,
        [...truths.keys()].map((each) => ({ name: each, self: each === self })),
        at,
      );
    },
  };
}

export type World = ReturnType<typeof world>;
