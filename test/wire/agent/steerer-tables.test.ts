import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../../src/lab/runtime/start-lab.ts';
import { renderSteering, steerTableOf } from '../../../src/render/nftables/steer.ts';
import { renderTable } from '../../../src/render/nftables/table.ts';
import { address } from '../../../src/std/address.ts';
import { proberId, startAgent } from '../../support/agent-machine.ts';
import { dial, flow, silence, tally, untilInRotation, wireLab } from '../../support/balancer-lab.ts';
import { nftOn, startSteering } from '../../support/steering.ts';

const names = ['m1', 'm2', 'm3'];
const check = { protocol: 'https', intervalMs: 500, timeoutMs: 2_000, rise: 1, fall: 3 } as const;
const tries = 12;

let lab: Lab;
beforeAll(async () => {
  lab = await wireLab({
    name: 'steerer-tables',
    masters: 3,
    workers: 1,
    ip: '4',
    balancer: { like: 'drop', healthCheck: check },
  });
  await untilInRotation(lab, names);
});
afterAll(async () => await lab?.[Symbol.asyncDispose]());

const steering = (to: readonly string[]) => startSteering(lab, to);
const nft = (text: string) => nftOn(lab, 'm1', text);

async function seen(from = 'm1'): Promise<string> {
  return tally(await dial(lab, from, { tries, connectMs: 3000 }));
}

/** Until all dials of m1 wait for their answer: a program that starts on a busy machine takes longer than any fixed pause. */
async function untilHalfOpen(): Promise<void> {
  for (const end = Date.now() + 3000; Date.now() < end; await sleep(20)) {
    const { stdout } = await lab.exec('m1', ['ss', '-Htn', 'state', 'syn-sent']);
    if (stdout.split('\n').filter((line) => line !== '').length >= tries) return;
  }
  throw new Error(`fewer than ${tries} connections were half open within 3 s`);
}

describe('the steering table', () => {
  test('of another version becomes ours: chains and sets of another kind go, flows and steering stay', async () => {
    const endpoint = lab.spec.endpoint.addresses[0] ?? address('10.0.0.1');
    const masters = lab.spec.machines
      .filter(({ role }) => role === 'control-plane')
      .map((m) => m.addresses[0] ?? endpoint);
    const table = steerTableOf({
      family: 4,
      endpoints: [endpoint],
      port: lab.spec.endpoint.port,
      proberUid: proberId,
      uplinks: ['eth0'],
      node: masters[0] ?? endpoint,
    });
    const [, m2 = endpoint] = masters;
    const older = {
      ...table,
      sets: [
        ...(table.sets ?? []).map(({ name, body }) => ({
          name,
          body: name === 'live' ? body.replace('size 64', 'size 16') : body,
        })),
        { name: 'bygone', body: 'type ipv4_addr;' },
      ],
      chains: [
        // NAT hooks elsewhere, and a chain that the new version does not know: the last NAT hook must not go in between.
        ...table.chains.map((chain) =>
          chain.hook?.type === 'nat' ? { ...chain, hook: { ...chain.hook, priority: chain.hook.priority + 1 } } : chain,
        ),
        {
          name: 'bygone',
          hook: { type: 'filter', hook: 'output', priority: 5 } as const,
          rules: ['ip daddr @bygone drop'],
        },
      ],
    };
    await nft(renderTable(older) + renderSteering(4, [{ address: m2, port: lab.spec.apiServerPort }], true));
    await using agent = await startAgent(lab, 'm1', { processes: [] });
    using _alive = agent.keepAlive();
    await sleep(300);
    expect(await seen()).toBe(`m2 ${tries}`);
    const stays = flow(lab, 'm1', { forMs: 6000 });
    expect(await stays.machine()).toBe('m2');
    const throughout = (async () => {
      const results: string[] = [];
      for (let i = 0; i < 8; i += 1) results.push(await seen());
      return results;
    })();

    await agent.start('steerer');
    expect(await agent.ask({ op: 'ensure', endpoints: [endpoint.text] })).toMatchObject({ ok: true, problems: [] });
    const { stdout } = await lab.exec('m1', ['nft', 'list', 'table', 'ip', 'hairpin']);
    expect(stdout).not.toContain('bygone');
    expect(stdout).toContain('type nat hook output priority -100;');
    expect(stdout).toContain('size 64');
    expect(await agent.ask({ op: 'status' })).toMatchObject({ backends: [m2.text], hold: true });
    expect(await throughout).toEqual(Array.from({ length: 8 }, () => `m2 ${tries}`));
    expect((await stays.end()).is).toBe('alive');
    await nft('delete table ip hairpin');
  });

  test('comes back with everything in it when somebody flushes the ruleset', async () => {
    await using it = await steering(['m2']);
    const stays = flow(lab, 'm1', { forMs: 4000 });
    expect(await stays.machine()).toBe('m2');
    await nft('flush ruleset');
    expect(await it.agent.renew()).toBe('passed');
    const start = performance.now();
    const after = await it.ensure();
    const ms = performance.now() - start;
    expect(after).toMatchObject({ ok: true, epoch: it.epoch + 1 });
    expect(await seen()).toBe(`m2 ${tries}`);
    expect(await it.agent.renew()).toBe('renewed');
    expect(ms).toBeLessThan(500);
    expect(it.agent.log.join('\n')).toContain('the steering table of IPv4 was gone: made anew');
    console.log('restored in', ms, 'the flow:', (await stays.end()).is);
  });

  test.each(['flush chain ip hairpin own', 'delete chain ip hairpin pods', 'flush table ip hairpin'])(
    'comes back after `nft %s`',
    async (command) => {
      await using it = await steering(['m2']);
      await nft(command);
      expect(await it.ensure()).toMatchObject({ ok: true, epoch: it.epoch + 1 });
      expect(await seen()).toBe(`m2 ${tries}`);
      expect(await seen('m1-pod')).toBe(`m2 ${tries}`);
      expect(await it.ensure()).toMatchObject({ ok: true, epoch: it.epoch + 1 });
    },
  );

  test('a transition that finds no table makes it again', async () => {
    await using it = await steering(['m2']);
    await nft('delete table ip hairpin');
    expect(await it.steer(['m3'])).toMatchObject({ ok: true });
    await it.agent.renew();
    expect(await seen()).toBe(`m3 ${tries}`);
  });

  test.each([
    { of: 'an apiserver that is away', away: ['m2'] },
    { of: 'anybody, when an earlier prober does not say who is away', away: undefined },
  ])('connections that are half open start over with the next backend: $of', async ({ away }) => {
    await using it = await steering(['m2']);
    const heal = await silence(lab, 'm2');
    try {
      const dialling = dial(lab, 'm1', { tries, connectMs: 4000 });
      await untilHalfOpen();
      expect(await it.steer(['m3'], { away })).toMatchObject({ ok: true });
      const outcomes = await dialling;
      expect(tally(outcomes)).toBe(`m3 ${tries}`);
    } finally {
      await heal();
    }
  });

  test('connections that are half open to an apiserver that answers stay with it', async () => {
    await using it = await steering(['m2']);
    const heal = await silence(lab, 'm2');
    // Long enough for a third SYN: the silence stands for an answer that is under way.
    const dialling = dial(lab, 'm1', { tries, connectMs: 8000 });
    try {
      await untilHalfOpen();
      expect(await it.steer(['m3'], { away: ['m1'] })).toMatchObject({ ok: true });
      await sleep(200);
    } finally {
      await heal();
    }
    expect(tally(await dialling)).toBe(`m2 ${tries}`);
  });

  test('a reset ends the flows of one backend, the node’s and its pods’, and no other', async () => {
    await using it = await steering(['m2']);
    const toSecond = [flow(lab, 'm1', { forMs: 9000 }), flow(lab, 'm1-pod', { forMs: 9000 })];
    expect(await Promise.all(toSecond.map((f) => f.machine()))).toEqual(['m2', 'm2']);
    await it.steer(['m3']);
    const toThird = [flow(lab, 'm1', { forMs: 4000 }), flow(lab, 'm1-pod', { forMs: 4000 })];
    expect(await Promise.all(toThird.map((f) => f.machine()))).toEqual(['m3', 'm3']);
    const [m2 = ''] = it.of(['m2']);
    expect(await it.agent.ask({ op: 'reset', backend: m2 })).toEqual({
      ok: true,
      node: 1,
      pods: 1,
      ms: expect.any(Number),
    });
    expect((await Promise.all(toSecond.map((f) => f.end()))).map(({ is }) => is)).toEqual([
      'ECONNABORTED',
      'ECONNABORTED',
    ]);
    expect((await Promise.all(toThird.map((f) => f.end()))).map(({ is }) => is)).toEqual(['alive', 'alive']);
  });

  test('steering lapses by itself 3 s after the last datagram, with the steerer frozen or gone', async () => {
    await using it = await steering(['m2']);
    await it.agent.signal('steerer', 'SIGSTOP');
    expect(await seen()).toBe(`m2 ${tries}`);
    it.alive[Symbol.dispose]();
    await sleep(3500);
    expect(await seen()).not.toBe(`m2 ${tries}`);
  });

  test('a steered connection takes another source port where a direct one to the same backend is in its TIME_WAIT', async () => {
    await using it = await steering(['m2']);
    const [m2 = ''] = it.of(['m2']);
    // So few ports that every steered connection meets the tuple of a direct one, which conntrack keeps for 120 s.
    await lab.exec('m1', ['sh', '-c', 'echo 40000 40119 >/proc/sys/net/ipv4/ip_local_port_range']);
    try {
      const settings = { tries: 100, connectMs: 5000 };
      expect(tally(await dial(lab, 'm1', { ...settings, host: m2 }))).toBe('m2 100');
      expect(tally(await dial(lab, 'm1', settings))).toBe('m2 100');
      const { stdout } = await lab.exec('m1', ['conntrack', '-L', '-p', 'tcp', '--dst-nat']);
      const moved = stdout.split('\n').filter((line) => {
        const [from, , , back] = [...line.matchAll(/[sd]port=(\d+)/g)].map(([, port]) => port);
        return from !== back;
      });
      expect(moved.length).toBeGreaterThan(60);
    } finally {
      await lab.exec('m1', ['sh', '-c', 'echo 32768 60999 >/proc/sys/net/ipv4/ip_local_port_range']);
    }
  });
});
