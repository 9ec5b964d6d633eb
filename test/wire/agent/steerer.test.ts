import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { startAgent } from '../../support/agent-machine.ts';
import { dial, tally, untilInRotation, wireLab } from '../../support/balancer-lab.ts';

const names = ['m1', 'm2', 'm3'];
const tries = 30;
const check = { protocol: 'https', intervalMs: 500, timeoutMs: 2_000, rise: 1, fall: 3 } as const;

describe('the steerer on a real kernel', () => {
  test.each(['4', '6'] as const)('makes tables and transitions, IPv%s', async (ip) => {
    await using lab = await wireLab({
      name: `steerer-ops${ip}`,
      masters: 3,
      workers: 1,
      ip,
      balancer: { like: 'drop', healthCheck: check },
    });
    await untilInRotation(lab, names);
    await using agent = await startAgent(lab, 'm1', { processes: ['pods', 'steerer'] });
    const [endpoint = ''] = agent.config.endpoint.addresses;
    const [own = '', second = '', third = ''] = agent.config.masters.map(({ addresses }) => addresses[0] ?? '');
    const before = 'm2 10, m3 10, timeout 10';

    const ensured = await agent.ask({ op: 'ensure', endpoints: [endpoint] });
    expect(ensured).toMatchObject({ ok: true, endpoints: [endpoint], problems: [] });
    expect(tally(await dial(lab, 'm1', { tries }))).toBe(before);

    const steered = await agent.ask({ op: 'steer', backends: [own], hold: true });
    expect(steered).toMatchObject({ ok: true });
    expect(tally(await dial(lab, 'm1', { tries }))).toBe(before);
    using _alive = agent.keepAlive();
    await sleep(200);
    expect(await agent.renew()).toBe('renewed');
    expect(tally(await dial(lab, 'm1', { tries }))).toBe('m1 30');
    expect(tally(await dial(lab, 'm1-pod', { tries }))).toBe('m1 30');

    await agent.ask({ op: 'steer', backends: [second, third], hold: true });
    // The kernel says where new connections go, to whoever waits for it.
    const fresh = agent.ask({ op: 'fresh' });
    await sleep(500);
    await dial(lab, 'm1', { tries: 1 });
    const told = await fresh;
    expect(told).toEqual({ ok: true, backends: [expect.any(String)] });
    expect([second, third]).toContain(told.ok ? told.backends[0] : undefined);
    expect(tally(await dial(lab, 'm1', { tries }))).toBe('m2 15, m3 15');
    expect(await agent.ask({ op: 'status' })).toEqual({
      ok: true,
      endpoints: [{ address: endpoint, live: true, family: Number(ip) }],
      backends: [second, third],
      hold: true,
      steered: expect.any(Number),
      held: 0,
    });
  });
});
