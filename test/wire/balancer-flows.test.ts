import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { AllDown, Behaviour, EjectedFlows } from '../../src/balancer/behaviour.ts';
import { setStandin } from '../../src/lab/standin/control.ts';
import { dial, flow, tally, untilInRotation, wireLab } from '../support/balancer-lab.ts';

const check = { protocol: 'https', intervalMs: 100, timeoutMs: 1_000, rise: 1, fall: 2 } as const;
const drainMs = 1_200;

async function lab(behaviour: Behaviour, change: { ejectedFlows?: EjectedFlows; allDown?: AllDown }) {
  return await wireLab({
    name: `bal-flows-${behaviour}`,
    masters: 2,
    workers: 0,
    clients: 1,
    balancer: { like: behaviour, healthCheck: check, drainMs, ...change },
  });
}

const engines = ['drop', 'works', 'local', 'proxy'] as const;

describe('an established connection whose backend is ejected, while the backend itself goes on serving', () => {
  test.each(
    engines.flatMap((behaviour) => [
      { behaviour, ejectedFlows: 'keep' as const, ends: 'alive' },
      { behaviour, ejectedFlows: 'reset' as const, ends: 'reset at once' },
      { behaviour, ejectedFlows: 'drain' as const, ends: 'reset after the drain time' },
    ]),
  )('$behaviour, $ejectedFlows: $ends', async ({ behaviour, ejectedFlows, ends }) => {
    await using it = await lab(behaviour, { ejectedFlows });
    await untilInRotation(it, ['m1', 'm2']);
    const client = flow(it, 'c1', { forMs: 4_000 });
    const machine = await client.machine();
    await setStandin(it.cx.paths, machine, { ready: false });
    const { history } = await untilInRotation(
      it,
      ['m1', 'm2'].filter((name) => name !== machine),
    );
    const ejected = history.find((t) => t.to === 'out')?.at ?? 0;
    const last = await client.end();
    const after = last.at - ejected;
    const seen = isEnd(last.is) ? (after < drainMs ? 'reset at once' : 'reset after the drain time') : last.is;
    expect({ ends: seen, machines: [...new Set(client.lines.slice(0, -1).map((l) => l.is))] }).toEqual({
      ends,
      machines: [machine],
    });
  });
});

/** haproxy ends its client's side in an orderly way, which is as final as a RST. */
function isEnd(is: string): boolean {
  return is === 'reset' || is === 'closed';
}

describe('when no backend is healthy', () => {
  test.each([
    { behaviour: 'drop', allDown: 'refuse', seen: 'refused 10' },
    { behaviour: 'local', allDown: 'refuse', seen: 'refused 10' },
    // haproxy has to accept before it can know, and then closes.
    { behaviour: 'proxy', allDown: 'refuse', seen: 'ECONNRESET 10' },
    { behaviour: 'drop', allDown: 'all', seen: 'm1 5, m2 5' },
    { behaviour: 'local', allDown: 'all', seen: 'm1 5, m2 5' },
    { behaviour: 'proxy', allDown: 'all', seen: 'm1 5, m2 5' },
  ] as const)('$behaviour, $allDown: a client gets $seen', async ({ behaviour, allDown, seen }) => {
    await using it = await lab(behaviour, { allDown });
    await untilInRotation(it, ['m1', 'm2']);
    await Promise.all(['m1', 'm2'].map((name) => setStandin(it.cx.paths, name, { ready: false })));
    // With `all` they stay in rotation; what changes is why.
    await sleep(check.intervalMs * check.fall + 500);
    const status = await untilInRotation(it, allDown === 'all' ? ['m1', 'm2'] : []);
    expect(status.failOpen).toBe(allDown === 'all');
    expect(tally(await dial(it, 'c1', { tries: 10 }))).toBe(seen);
    await setStandin(it.cx.paths, 'm2', { ready: true });
    await untilInRotation(it, ['m2']);
    expect(tally(await dial(it, 'c1', { tries: 10 }))).toBe('m2 10');
  });
});

test('local: a master whose own apiserver is down is refused at once, although the others are well', async () => {
  await using it = await wireLab({
    name: 'bal-own-down',
    balancer: { like: 'local', healthCheck: check },
  });
  await untilInRotation(it, ['m1', 'm2', 'm3']);
  await it.tier.stopMachine(it.cx, 'm1', 'power-off');
  await untilInRotation(it, ['m2', 'm3']);
  const own = await dial(it, 'm1', { tries: 30 });
  const pod = await dial(it, 'm1-pod', { tries: 30 });
  expect({
    m1: tally(own),
    pod: tally(pod),
    atOnce: [...own, ...pod].every(({ ms }) => ms < 200),
    m2: tally(await dial(it, 'm2', { tries: 30 })),
    worker: tally(await dial(it, 'w1', { tries: 30 })),
  }).toEqual({ m1: 'refused 30', pod: 'refused 30', atOnce: true, m2: 'm2 30', worker: 'm2 15, m3 15' });
});
