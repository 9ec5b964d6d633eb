import { describe, expect, test } from 'vitest';
import { tickMs } from '../../../src/agent/backend/fleet.ts';
import type { AgentConfig } from '../../../src/agent/config/config.ts';
import { type Answer, addressesOf, type Names, noNames, resolved } from '../../../src/agent/dns/names.ts';
import {
  announced,
  dropAfterMs,
  type Membership,
  members,
  mostCountedMs,
  nobodySeen,
} from '../../../src/agent/membership/membership.ts';
import { random } from '../../support/agent/random.ts';
import { world } from '../../support/agent/world.ts';

// A day in which everything happens, in seconds. The clock is whole: what is forgotten after a minute, ten minutes or a day
// is. Of each minute some seconds are lived at the prober's real rate of PINGs and ticks, with an event at their start; then
// the machine sleeps until the next minute, which is one late tick. What calm does is a test of its own below.

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const masters = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const config: AgentConfig = {
  version: 1,
  node: { name: '10.0.0.1', addresses: ['10.0.0.1'], role: 'control-plane' },
  endpoint: { host: 'api.example', port: 6443, addresses: [] },
  apiServerPort: 6443,
  steer: true,
  masters: masters.map((address) => ({ name: address, addresses: [address] })),
  device: 'eth0',
  uplinks: 'auto',
  ca: ['/ca.crt'],
};

function agentDay(seed: number) {
  const chance = random(seed);
  const real = world(masters, masters[0]);
  let membership: Membership = nobodySeen;
  let names: Names = noNames;
  let replaced = 0;
  /** Who serves now; one that is replaced comes back under another address. */
  let serving = [...masters];
  let given: readonly Answer[] = [{ address: '10.9.9.9', ttl: 30 }];

  const poll = (elapsedMs: number) => {
    membership = announced(membership, serving, { elapsedMs, config });
    const wanted = members(membership, config).map(({ name }) => name);
    for (const name of real.truths.keys()) if (!wanted.includes(name)) real.leave(name);
    for (const name of wanted) {
      real.join(name);
      if (!serving.includes(name)) real.is(name, 'crashed');
    }
  };
  const lookUp = (failed = false) => {
    if (real.at() < names.askAgainAt) return;
    const answers = failed ? { v4: undefined, v6: undefined } : { v4: given, v6: [] };
    names = resolved(names, answers, { at: real.at(), forbidden: new Set(masters) }).names;
  };
  const heal = () => {
    serving = [...masters];
    for (const name of real.truths.keys()) {
      real.is(name, serving.includes(name) ? 'well' : 'crashed');
      real.ready(name, true);
      real.drain(name, false);
    }
  };
  const anything = () => {
    const name = chance.of([...real.truths.keys()]);
    switch (chance.below(9)) {
      case 0:
        return real.is(name, 'crashed');
      case 1:
        return real.is(name, 'hung');
      case 2:
        return real.ready(name, chance.below(2) === 0);
      case 3:
        return real.drain(name, chance.below(2) === 0);
      case 4:
        given = Array.from({ length: 1 + chance.below(20) }, () => ({
          address: `10.9.${chance.below(200)}.9`,
          ttl: chance.below(400),
        }));
        return;
      case 5:
        // A machine is replaced by one with an address of its own, some twenty times a day.
        if (chance.below(8) !== 0) return;
        replaced += 1;
        serving = [...serving.slice(1), `10.0.1.${replaced}`];
        return;
      case 6:
        // Flaps as fast as they come.
        for (let i = 0; i < 12; i += 1) {
          real.is(name, i % 2 === 0 ? 'hung' : 'well');
          real.run(tickMs * (1 + chance.below(6)));
        }
        return;
      default:
        return heal();
    }
  };

  return {
    heal,
    minute() {
      const end = real.at() + minuteMs;
      anything();
      poll(minuteMs / 2);
      lookUp(chance.below(10) === 0);
      real.run(300 + chance.below(1500));
      poll(minuteMs / 2);
      real.stall(end - real.at());
    },
    /** One that is late again as soon as it is trusted: the most suspicions that fit into what is remembered of them. */
    flap() {
      heal();
      const name = chance.of(masters);
      real.run(20_000);
      for (const end = real.at() + minuteMs; real.at() < end; ) {
        real.is(name, 'hung');
        do real.run(tickMs);
        while (real.state(name) !== 'suspect' && real.state(name) !== 'failed');
        real.is(name, 'well');
        do real.run(tickMs);
        while (real.state(name) === 'suspect');
      }
    },
    /** As long as it takes to forget everything, with nothing but the questions that are asked anyway. */
    calm(ms: number) {
      given = [{ address: '10.9.9.9', ttl: 30 }];
      for (const end = real.at() + ms; real.at() < end; ) {
        poll(mostCountedMs);
        lookUp();
        real.stall(mostCountedMs);
      }
      real.run(20_000);
    },
    real,
    sizes: () => ({
      probed: real.fleet().members.size,
      seen: membership.seen.size,
      names: names.addresses.size,
      suspicions: Math.max(...[...real.fleet().members.values()].map(({ backend }) => backend.suspicions.length)),
      bytesEach: JSON.stringify([...real.fleet().members]).length / real.fleet().members.size,
    }),
    addresses: () => addressesOf(names),
    replaced: () => replaced,
  };
}

describe('24 hours', () => {
  test.each([1, 2])('in which everything happens keep the state small, and it shrinks again (seed %i)', (seed) => {
    const day = agentDay(seed);
    day.calm(minuteMs);
    const before = day.sizes();
    expect(before).toMatchObject({ probed: 3, seen: 3, names: 1, suspicions: 0 });
    let minute = 0;
    for (const end = day.real.at() + dayMs; day.real.at() < end; ) {
      minute += 1;
      if (minute % 400 === 0) day.flap();
      else day.minute();
      const now = day.sizes();
      // All that served within a day, and not one more.
      expect(now.probed).toBeLessThanOrEqual(masters.length + day.replaced());
      expect(now.seen).toBeLessThanOrEqual(masters.length + day.replaced());
      expect(now.names).toBeLessThanOrEqual(16);
      expect(now.suspicions).toBeLessThanOrEqual(8);
      // Two numbers of each backend (an RTT and its variation) and eight suspicions are written longer than at first.
      expect(now.bytesEach).toBeLessThan(before.bytesEach + 10 * 20);
    }
    expect(day.replaced()).toBeGreaterThan(5);
    day.heal();
    day.calm(dropAfterMs + 2 * minuteMs);
    expect({ ...day.sizes(), suspicions: 0, bytesEach: 0 }).toEqual({ ...before, suspicions: 0, bytesEach: 0 });
    expect(day.addresses()).toEqual(['10.9.9.9']);
    expect(masters.map((name) => day.real.state(name))).toEqual(['ready', 'ready', 'ready']);
  });

  test('calm leaves nothing behind: five minutes at the real rate are the same values as the first', () => {
    const real = world(masters, masters[0]);
    const shape = () =>
      [...real.fleet().members].map(([name, { backend }]) => [
        name,
        { ...backend, heardAt: 0, answeredAt: 0, streak: 0, rtt: undefined },
      ]);
    real.run(minuteMs);
    const before = shape();
    real.run(5 * minuteMs);
    expect(shape()).toEqual(before);
  });
});
