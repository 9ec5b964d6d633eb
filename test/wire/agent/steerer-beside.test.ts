import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runTool } from '../../../src/agent/steerer/run-tool.ts';
import type { Lab } from '../../../src/lab/runtime/start-lab.ts';
import { sayLines } from '../../support/agent-machine.ts';
import { dial, flow, tally, untilInRotation, wireLab } from '../../support/balancer-lab.ts';
import { nftOn, startSteering } from '../../support/steering.ts';

// The steerer beside everything else that a node may have, or lack.

const names = ['m1', 'm2', 'm3'];
const check = { protocol: 'https', intervalMs: 500, timeoutMs: 5_000, rise: 1, fall: 5 } as const;
const tries = 12;

let lab: Lab;
beforeAll(async () => {
  lab = await wireLab({
    name: 'steerer-beside',
    masters: 3,
    workers: 1,
    ip: '4',
    balancer: { like: 'drop', healthCheck: check },
  });
  await untilInRotation(lab, names);
});
afterAll(async () => await lab?.[Symbol.asyncDispose]());

const seen = async (from = 'm1') => tally(await dial(lab, from, { tries, connectMs: 4000 }));

// What the two leave in the kernel, cut down to what can touch steered traffic. firewalld 1.3 (nftables backend): its base
// chains sit at +10 of the usual priorities and it drops what is invalid; ufw 0.36 is iptables with INPUT policy DROP.
const firewalls = {
  firewalld: `table inet firewalld {
    chain mangle_PREROUTING { type filter hook prerouting priority -140; policy accept; }
    chain nat_OUTPUT { type nat hook output priority -90; policy accept; }
    chain nat_PREROUTING { type nat hook prerouting priority -90; policy accept; }
    chain nat_POSTROUTING { type nat hook postrouting priority 110; policy accept; }
    chain filter_INPUT { type filter hook input priority 10; policy accept;
      ct state { established, related } accept
      ct status dnat accept
      iifname "lo" accept
      ct state invalid drop
      tcp dport { 22, 6443 } accept
      meta l4proto { icmp, ipv6-icmp } accept
      reject with icmpx admin-prohibited
    }
    chain filter_FORWARD { type filter hook forward priority 10; policy accept;
      ct state { established, related } accept
      ct status dnat accept
      iifname "lo" accept
      ct state invalid drop
      reject with icmpx admin-prohibited
    }
    chain filter_OUTPUT { type filter hook output priority 10; policy accept;
      ct state { established, related } accept
      oifname "lo" accept
    }
  }`,
  ufw: `table ip filter {
    chain INPUT { type filter hook input priority 0; policy drop;
      iifname "lo" accept
      ct state related,established accept
      ct state invalid drop
      ip protocol icmp accept
      tcp dport { 22, 6443 } accept
    }
    chain FORWARD { type filter hook forward priority 0; policy drop;
      ct state related,established accept
      ct state invalid drop
      ip protocol icmp accept
      ip saddr 10.0.0.0/8 accept
      ct status dnat accept
    }
    chain OUTPUT { type filter hook output priority 0; policy accept;
      ct state related,established accept
    }
  }`,
};

describe('the steerer', () => {
  test.each(['firewalld', 'ufw'] as const)('steers beside the rules of %s, holds and resets', async (name) => {
    await nftOn(lab, 'm1', firewalls[name]);
    try {
      await using it = await startSteering(lab, ['m2', 'm3']);
      expect(await seen()).toBe('m2 6, m3 6');
      expect(await seen('m1-pod')).toBe('m2 6, m3 6');
      await it.steer(['m1']);
      expect(await seen()).toBe('m1 12');
      expect(await seen('m1-pod')).toBe('m1 12');
      await it.steer(['m2']);
      const open = flow(lab, 'm1', { forMs: 8000 });
      expect(await open.machine()).toBe('m2');
      const [m2 = ''] = it.of(['m2']);
      expect(await it.agent.ask({ op: 'reset', backend: m2 })).toMatchObject({ ok: true, node: 1 });
      expect((await open.end()).is).toBe('ECONNABORTED');
    } finally {
      const [, family, table] = firewalls[name].split(/\s+/);
      await nftOn(lab, 'm1', `delete table ${family} ${table}`);
    }
  });

  test('stays up whatever bytes it is sent, refuses in words, and nothing of it reaches nft', async () => {
    await using it = await startSteering(lab, ['m2']);
    const { steererSocket } = it.agent.paths;
    const before = await runTool(['true']);
    expect(before.code).toBe(0);
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.json(),
      fc
        .record({
          op: fc.constantFrom('ensure', 'steer', 'reset'),
          backends: fc.array(fc.string()),
          hold: fc.anything(),
        })
        .map((v) => JSON.stringify(v) ?? ''),
      fc.constantFrom(
        '{"op":"steer","backends":["10.0.0.1; flush ruleset"],"hold":true}',
        '{"op":"steer","backends":["$(reboot)"],"hold":true}',
        '{"op":"reset","backend":"--help"}',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 5 }), async (lines) => {
        const text = lines.map((each) => each.replaceAll('\n', ' ')).join('\n');
        const answers = await sayLines(steererSocket, `${text}\n`, lines.length);
        for (const answer of answers)
          expect(JSON.parse(answer)).toMatchObject({ ok: false, problem: expect.any(String) });
      }),
      { numRuns: 60 },
    );
    const tooLong = await sayLines(steererSocket, Buffer.alloc(1_000_000, 120), 1);
    expect(tooLong.map((text) => JSON.parse(text))).toEqual([{ ok: false, problem: 'a line of more than 8192 bytes' }]);
    const [m2 = ''] = it.of(['m2']);
    expect(await it.agent.ask({ op: 'status' })).toMatchObject({ ok: true, backends: [m2], hold: false });
    expect(await seen()).toBe('m2 12');
  });

  test('refuses endpoints and backends that a node would lose something by', async () => {
    await using it = await startSteering(lab, ['m2']);
    const [m1 = '', m2 = ''] = it.of(['m1', 'm2']);
    const [endpoint = ''] = it.agent.config.endpoint.addresses;
    const other = '198.51.100.7';
    expect(await it.agent.ask({ op: 'ensure', endpoints: [endpoint, other, m1] })).toMatchObject({
      ok: true,
      endpoints: [endpoint],
      problems: [
        `${other} is not steered: the endpoint has fixed addresses, and it is none of them`,
        `${m1} is not steered: the endpoint has fixed addresses, and it is none of them`,
      ],
    });
    expect(await it.agent.ask({ op: 'steer', backends: [endpoint], hold: true })).toEqual({
      ok: false,
      problem: `${endpoint} is an endpoint and cannot be a backend`,
    });
    await it.agent.reconfigure({ endpoint: { ...it.agent.config.endpoint, host: 'api.prod.example', addresses: [] } });
    await expect.poll(() => it.agent.log.join()).toContain('configuration read again');
    expect(await it.agent.ask({ op: 'ensure', endpoints: [endpoint, m1, m2] })).toMatchObject({
      ok: true,
      endpoints: [endpoint],
      problems: [
        `${m1} is not steered: it is an address of this node`,
        `${m2} is not steered: it is an address of a master`,
      ],
    });
  });

  test('makes a route to an endpoint that nothing leads to, and takes it away when something does', async () => {
    await using it = await startSteering(lab, ['m2']);
    const [endpoint = ''] = it.agent.config.endpoint.addresses;
    const [m2 = ''] = it.of(['m2']);
    const ip = async (...args: readonly string[]) => (await lab.exec('m1', ['ip', ...args])).stdout.trim();
    const route = (await ip('route', 'show', 'default')).split(' ').slice(0, 5);
    const [, , via = ''] = route;
    await ip('route', 'add', `${m2}/32`, 'via', via, 'dev', 'eth0', 'onlink');
    await ip('route', 'delete', 'default');
    expect((await lab.exec('m1', ['ip', 'route', 'get', endpoint])).exitCode).not.toBe(0);
    expect(await it.ensure()).toMatchObject({ ok: true, problems: [] });
    expect(await ip('route', 'show', 'proto', '117')).toBe(`${endpoint} dev eth0 scope link`);
    expect(await seen()).toBe('m2 12');
    await ip('route', 'add', 'default', 'via', via, 'dev', 'eth0', 'onlink');
    expect(await it.ensure()).toMatchObject({ ok: true, problems: [] });
    expect(await ip('route', 'show', 'proto', '117')).toBe('');
    await ip('route', 'delete', `${m2}/32`);
  });

  test('withdraws itself: the table stays while a flow needs it, and goes with the last one', async () => {
    await using it = await startSteering(lab, ['m2']);
    const withdraw = async () => {
      const daemon = new URL('../../../src/program/daemon.main.ts', import.meta.url).pathname;
      return (await lab.exec('m1', [process.execPath, daemon, 'withdraw'])).stdout.trim().split('\n');
    };
    const open = flow(lab, 'm1', { forMs: 6000 });
    expect(await open.machine()).toBe('m2');
    await it.agent.signal('steerer', 'SIGTERM');
    expect(await withdraw()).toEqual([
      'the steering table of IPv4 steers nothing and stays for 1 connections that are still open; it goes with the next reboot, or with: nft delete table ip hairpin',
    ]);
    expect(await seen()).not.toBe('m2 12');
    expect((await open.end()).is).toBe('alive');
    expect(await withdraw()).toEqual(['the steering table of IPv4 is removed']);
    expect(await withdraw()).toEqual(['there was nothing of hairpin in netfilter or in the routes']);
  });

  test('goes on without conntrack and ss, and says what is lost', async () => {
    await using it = await startSteering(lab, ['m2']);
    const bin = `${it.agent.paths.steererSocket}.bin`;
    const dir = await runTool(['mkdir', '-p', bin]);
    expect(dir.code).toBe(0);
    for (const tool of ['ip', 'nft', 'getent']) {
      const { stdout } = await runTool([
        'sh',
        '-c',
        `ln -sf "$(command -v ${tool})" ${bin}/${tool}; command -v ${tool}`,
      ]);
      expect(stdout).toContain(tool);
    }
    await it.agent.signal('steerer', 'SIGTERM');
    await it.agent.start('steerer', { PATH: bin });
    expect(await it.ensure()).toMatchObject({
      ok: true,
      problems: expect.arrayContaining([
        'conntrack is not installed: connections that are half open wait for their own time-outs, and flows of a dead apiserver are not reset',
        'ss is not installed: flows of a dead apiserver end with their next packet, not at once',
      ]),
    });
    expect(await it.steer(['m3'])).toMatchObject({ ok: true });
    expect(await seen()).toBe('m3 12');
    const [m3 = ''] = it.of(['m3']);
    expect(await it.agent.ask({ op: 'reset', backend: m3 })).toEqual({
      ok: false,
      problem: `flows to ${m3} are left to their own time-outs: conntrack is not installed`,
    });
  });
});

test('a flow to an endpoint that is an address of the node leaves with the node’s own source', async () => {
  await using local = await wireLab({
    name: 'steerer-local',
    masters: 3,
    workers: 1,
    ip: 'dual',
    balancer: { like: 'local', healthCheck: check },
  });
  await untilInRotation(local, names);
  await using it = await startSteering(local, ['m2']);
  for (const { text } of local.spec.endpoint.addresses.filter(({ family }) => family === 4)) {
    expect(tally(await dial(local, 'm1', { host: text, tries, connectMs: 4000 }))).toBe('m2 12');
  }
  const second = it.agent.config.masters.flatMap(({ name, addresses }) => (name === 'm2' ? (addresses[1] ?? []) : []));
  await it.agent.ask({ op: 'steer', backends: second, hold: false });
  for (const { text } of local.spec.endpoint.addresses.filter(({ family }) => family === 6)) {
    expect(tally(await dial(local, 'm1', { host: text, tries, connectMs: 4000 }))).toBe('m2 12');
  }
});
