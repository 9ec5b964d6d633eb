import { describe, expect, test } from 'vitest';
import { type BalancerdConfig, balancerdConfig, probeSource } from '../../../../src/lab/balancer/config.ts';
import { haproxyConfig } from '../../../../src/lab/balancer/haproxy-config.ts';
import { rotationOf } from '../../../../src/lab/balancer/rotation.ts';
import { setupLines, setupSysctls } from '../../../../src/lab/balancer/setup.ts';
import { transitionRuleset, wholeRuleset } from '../../../../src/lab/balancer/tables.ts';
import { labPaths } from '../../../../src/lab/paths.ts';
import { balancerCatalog } from '../../../../src/lab/spec/catalog.ts';
import type { LabInput } from '../../../../src/lab/spec/input.ts';
import { resolveLab } from '../../../../src/lab/spec/resolve.ts';
import { drawTopology } from '../../../../src/lab/topology/draw.ts';

const paths = labPaths('unit', { HAIRPIN_STATE: '/state' });

function configOf(input: LabInput): BalancerdConfig {
  const resolved = resolveLab({ name: 'unit', ...input }, balancerCatalog());
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  return balancerdConfig(drawTopology(resolved.spec), paths);
}

const states = (config: BalancerdConfig, healthy: readonly string[]) => {
  const backends = config.backends.map(({ name }) => ({
    name,
    health: healthy.includes(name) ? ('healthy' as const) : ('unhealthy' as const),
    forced: undefined,
    weight: 1,
  }));
  return { backends, rotation: rotationOf(backends, config.balancer.allDown), power: 'on' as const };
};

test('balancerdConfig() is all that the daemon needs', () => {
  expect(configOf({ balancer: 'tencent-clb', masters: 1, ip: 'dual' })).toEqual({
    lab: 'unit',
    netns: 'hp-unit-fabric',
    network: 'routed',
    balancer: expect.objectContaining({ behaviour: 'drop' }) as unknown,
    vips: [
      { family: 4, text: '172.16.105.26' },
      { family: 6, text: 'fd00:172:16:105::26' },
    ],
    own: [
      { family: 4, text: '172.16.104.2' },
      { family: 6, text: 'fd00:172:16:104::2' },
    ],
    port: 6443,
    backends: [
      {
        name: 'm1',
        addresses: [
          { family: 4, text: '172.16.104.54' },
          { family: 6, text: 'fd00:172:16:104::54' },
        ],
        port: 6443,
      },
    ],
    socket: '/state/labs/unit/balancer.sock',
    dir: '/state/labs/unit/balancer',
    certificate: '/state/labs/unit/pki/balancer.pem',
  });
});

describe('probeSource()', () => {
  test.each([
    { name: "a product's own address", input: { balancer: 'tencent-clb' }, family: 4, from: '100.64.0.10' },
    {
      name: 'of the other family: the balancer',
      input: { balancer: 'tencent-clb', ip: '6' },
      family: 6,
      from: 'fd00:172:16:104::2',
    },
    { name: 'the balancer itself', input: { balancer: 'haproxy' }, family: 4, from: '172.16.104.2' },
    { name: 'the VIP', input: { balancer: { like: 'drop', probeSource: 'vip' } }, family: 4, from: '172.16.105.26' },
  ] as const)('$name', ({ input, family, from }) => {
    expect(probeSource(configOf(input), family)?.text).toBe(from);
  });
});

describe('the ruleset', () => {
  // Loaded into the kernel by the wire tier (test/wire/balancer-*.test.ts); here it is for reading.
  test.each([
    { name: 'drop', input: { balancer: 'drop' } },
    { name: 'works-dual', input: { balancer: 'works', ip: 'dual', masters: 2 } },
    { name: 'one-arm-domain', input: { balancer: 'one-arm', masters: 2, endpoint: { kind: 'domain' } } },
    { name: 'local-routed', input: { balancer: 'gcp-internal', masters: 2 } },
    { name: 'local-segment-6', input: { balancer: 'lvs-dr', masters: 2, ip: '6' } },
    { name: 'proxy', input: { balancer: 'proxy' } },
  ] as const)('$name', async ({ name, input }) => {
    const config = configOf(input);
    const all = config.backends.map((b) => b.name);
    await expect(wholeRuleset(config, states(config, all))).toMatchFileSnapshot(`../../../golden/balancer/${name}.nft`);
  });

  test('a transition touches the schedule and the power switch only', () => {
    const config = configOf({ balancer: 'drop' });
    expect(transitionRuleset(config, states(config, ['m1', 'm3']))).toBe(
      [
        'flush chain ip balancer power',
        'flush chain ip balancer power-out',
        'flush chain ip balancer schedule',
        'add rule ip balancer schedule numgen inc mod 2 vmap { 0 : goto to-m1, 1 : goto to-m3 }',
        '',
      ].join('\n'),
    );
  });

  test('with nobody healthy nothing is scheduled, so that the refusal after it answers', () => {
    const config = configOf({ balancer: 'drop' });
    expect(transitionRuleset(config, states(config, []))).toBe(
      'flush chain ip balancer power\nflush chain ip balancer power-out\nflush chain ip balancer schedule\n',
    );
  });

  test('without power every packet to the front end vanishes, also of flows that were translated', () => {
    const config = configOf({ balancer: 'works', ip: 'dual', masters: 1 });
    const off = transitionRuleset(config, { ...states(config, ['m1']), power: 'off' });
    expect(off.split('\n').filter((line) => line.endsWith(' drop'))).toEqual([
      'add rule ip balancer power ct original ip daddr 172.16.105.26 drop',
      'add rule ip balancer power-out ct original ip daddr 172.16.105.26 drop',
      'add rule ip6 balancer power ct original ip6 daddr fd00:172:16:105::26 drop',
      'add rule ip6 balancer power-out ct original ip6 daddr fd00:172:16:105::26 drop',
    ]);
  });
});

describe('setupLines()', () => {
  const found = (config: BalancerdConfig, own: readonly string[], device: (name: string) => string) => ({
    addresses: new Set(own),
    deviceTo: new Map(config.backends.flatMap((b) => b.addresses.map((a) => [a.text, device(b.name)] as const))),
  });
  const shown = (config: BalancerdConfig, own: readonly string[], device: (name: string) => string) =>
    setupLines(config, found(config, own, device)).map(
      ({ family, line, mayFail }) => `-${family} ${mayFail === true ? '(may fail) ' : ''}${line}`,
    );

  test('a routed balancer that translates: its probe address, and a route for dialling from its own namespace', () => {
    expect(shown(configOf({ balancer: 'alibaba-clb' }), ['172.16.104.2'], (name) => name)).toEqual([
      '-4 address add 100.64.0.10/32 dev lo',
      '-4 route replace 172.16.105.26/32 dev lo',
    ]);
  });

  test('a proxy owns the front end', () => {
    expect(shown(configOf({ balancer: 'haproxy', ip: '6' }), ['fd00:172:16:104::2'], (name) => name)).toEqual([
      '-6 address add fd00:172:16:105::26/128 dev lo nodad',
    ]);
  });

  test('a director owns the front end on the segment, and its marks come before local addresses', () => {
    expect(shown(configOf({ balancer: 'lvs-dr', masters: 2 }), ['172.16.104.2'], () => 'eth0')).toEqual([
      '-4 address add 172.16.105.26/32 dev eth0',
      '-4 (may fail) rule del pref 0',
      '-4 (may fail) rule del pref 1000',
      '-4 (may fail) rule del pref 100',
      '-4 (may fail) rule del pref 101',
      '-4 rule add pref 1000 lookup local',
      '-4 rule add pref 100 fwmark 18944 lookup 18944',
      '-4 route replace default via 172.16.104.54 dev eth0 onlink table 18944',
      '-4 rule add pref 101 fwmark 18945 lookup 18945',
      '-4 route replace default via 172.16.104.55 dev eth0 onlink table 18945',
    ]);
  });

  test('idle flows are forgotten when the product forgets them', () => {
    expect(Object.fromEntries(setupSysctls(configOf({ balancer: 'azure-ilb' })))).toMatchObject({
      'netfilter/nf_conntrack_tcp_timeout_established': '240',
    });
  });
});

describe('haproxyConfig()', () => {
  test.each([
    { name: 'tcp', input: { balancer: 'haproxy' } },
    {
      name: 'l7-fail-open',
      input: {
        ip: 'dual',
        masters: 2,
        balancer: {
          like: 'proxy',
          terminateTls: true,
          scheduling: 'source-hash',
          ejectedFlows: 'reset',
          allDown: 'all',
          healthCheck: { protocol: 'https', port: 6444 },
        },
      },
    },
    { name: 'tcp-checks-6', input: { ip: '6', balancer: { like: 'proxy', healthCheck: { protocol: 'tcp' } } } },
  ] as const)('$name', async ({ name, input }) => {
    const text = haproxyConfig(configOf(input as LabInput), {
      socket: '/state/haproxy.sock',
      stateFile: '/state/haproxy.state',
      intervalMs: 2_000,
    });
    await expect(text).toMatchFileSnapshot(`../../../golden/balancer/haproxy-${name}.cfg`);
  });
});
