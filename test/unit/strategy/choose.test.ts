import { describe, expect, test } from 'vitest';
import type { HairpinBehaviour } from '../../../src/balancer/behaviour.ts';
import type { Spec, StrategySpec } from '../../../src/spec/spec.ts';
import { controlPlaneNodes } from '../../../src/spec/spec.ts';
import { chooseStrategy } from '../../../src/strategy/choose.ts';
import type { BaseContext, UnsafeChoice } from '../../../src/strategy/strategy.ts';
import { makeSpec } from '../../support/any-spec.ts';
import { program } from '../../support/facts.ts';

const auto: StrategySpec = { name: 'auto' };

function specWith(strategy: StrategySpec, change: (spec: Spec) => Partial<Spec> = () => ({})): Spec {
  const spec = makeSpec({ masters: 3, workers: 1, ip: 4, version: 'v1.37.2', bundle: false, cni: 'none', strategy });
  return { ...spec, ...change(spec) };
}

function named(spec: Spec): Partial<Spec> {
  const { addresses, port } = spec.endpoint;
  return { endpoint: { kind: 'domain', host: 'api.example', domain: 'api.example', addresses, port } };
}

function contextOf(
  spec: Spec,
  behaviour: HairpinBehaviour | undefined,
  accept: readonly UnsafeChoice[] = [],
): BaseContext {
  const masters = controlPlaneNodes(spec);
  const [leader] = masters;
  if (leader === undefined) throw new Error('a spec has a master');
  const { addresses } = spec.endpoint;
  const acceptUnsafe = new Set(accept);
  return {
    spec,
    behaviour,
    endpointAddresses: addresses,
    masters,
    leader,
    device: () => 'eth0',
    acceptUnsafe,
    program,
    draining: [],
  };
}

describe('auto', () => {
  test.each([
    { name: 'a balancer that hairpins needs nothing', spec: specWith(auto), behaviour: 'works', want: 'direct' },
    { name: 'drop is steered around', spec: specWith(auto), behaviour: 'drop', want: 'steer' },
    { name: 'local is steered around', spec: specWith(auto), behaviour: 'local', want: 'steer' },
    { name: 'one-arm is steered around, workers too', spec: specWith(auto), behaviour: 'one-arm', want: 'steer' },
    { name: 'not measured: steering is right anyway', spec: specWith(auto), behaviour: undefined, want: 'steer' },
    {
      name: 'a name without addresses cannot be steered, but written into hosts',
      spec: specWith(auto, (spec) => ({ endpoint: { ...named(spec).endpoint, addresses: [] } as Spec['endpoint'] })),
      behaviour: 'drop',
      want: 'hosts',
    },
    {
      name: 'without a balancer masters hold the address',
      spec: specWith({ name: 'keepalived-vip', interface: undefined, routerId: 51, port: 9443 }, () => ({
        strategy: auto,
      })),
      behaviour: undefined,
      want: 'keepalived-vip',
    },
  ] as const)('$name', ({ spec, behaviour, want }) => {
    const { strategy, unsuitable, because } = chooseStrategy(contextOf(spec, behaviour));
    expect([strategy.name, unsuitable]).toEqual([want, undefined]);
    expect(because).not.toBe('asked for');
  });
});

describe('unsuitable strategies', () => {
  const haproxy = (port: number): StrategySpec => ({ name: 'keepalived-haproxy', vrrp: 'unicast', port });
  const vip: StrategySpec = { name: 'keepalived-vip', interface: undefined, routerId: 51, port: 9443 };
  test.each([
    { name: 'direct behind drop', spec: specWith({ name: 'direct' }), behaviour: 'drop', code: 'DIRECT_NO_HAIRPIN' },
    {
      name: 'bind-vip with a name of two addresses',
      spec: specWith({ name: 'bind-vip' }, (spec) => ({
        endpoint: {
          ...named(spec).endpoint,
          addresses: [...spec.endpoint.addresses, ...spec.nodes.slice(0, 1).map((n) => n.address)],
        } as Spec['endpoint'],
      })),
      behaviour: 'drop',
      code: 'ENDPOINT_HAS_NO_VIP',
    },
    {
      name: 'bind-vip behind one-arm',
      spec: specWith({ name: 'bind-vip' }),
      behaviour: 'one-arm',
      code: 'ONE_ARM_WORKERS',
    },
    {
      name: 'hosts with an address',
      spec: specWith({ name: 'hosts', to: 'loopback' }, (spec) => ({
        endpoint: {
          kind: 'address',
          host: '172.17.105.26',
          address: spec.endpoint.addresses[0] as never,
          addresses: spec.endpoint.addresses,
          port: 6443,
        },
      })),
      behaviour: 'drop',
      code: 'HOSTS_NEEDS_A_NAME',
    },
    {
      name: 'haproxy on the port of the apiserver',
      spec: specWith(haproxy(6443)),
      behaviour: 'drop',
      code: 'HAPROXY_PORT_CLASH',
    },
    {
      name: 'haproxy on another port than the endpoint',
      spec: specWith(haproxy(9444)),
      behaviour: 'drop',
      code: 'HAPROXY_PORT_CHAIN',
    },
    {
      name: 'all-master haproxy without a balancer',
      spec: specWith(haproxy(9443), () => ({ balancer: undefined })),
      behaviour: undefined,
      code: 'ALL_MASTER_VIP',
    },
    {
      name: 'keepalived-vip on the address of a balancer',
      spec: specWith(vip, (spec) => ({ balancer: specWith(auto).balancer, endpoint: spec.endpoint })),
      behaviour: 'drop',
      code: 'VIP_IS_THE_BALANCERS',
    },
    {
      name: 'steer without workers behind one-arm',
      spec: specWith({ name: 'steer', workers: false }),
      behaviour: 'one-arm',
      code: 'ONE_ARM_WORKERS',
    },
    {
      name: 'bind-vip without a balancer',
      spec: specWith({ name: 'bind-vip' }, () => ({ balancer: undefined })),
      behaviour: undefined,
      code: 'NO_BALANCER',
    },
    {
      name: 'steer without a balancer',
      spec: specWith({ name: 'steer', workers: false }, () => ({ balancer: undefined })),
      behaviour: undefined,
      code: 'STEER_NO_BALANCER',
    },
  ] as const)('$name: $code', ({ spec, behaviour, code }) => {
    const { unsuitable } = chooseStrategy(contextOf(spec, behaviour));
    expect(unsuitable?.code).toBe(code);
    expect(unsuitable?.reason).not.toBe('');
    expect(unsuitable?.hint).not.toBe('');
  });
});

describe('who dials what, when (design.md)', () => {
  const rows = (spec: Spec, behaviour: HairpinBehaviour, accept: readonly UnsafeChoice[] = []) => {
    const context = contextOf(spec, behaviour, accept);
    const { strategy } = chooseStrategy(context);
    const [m1, m2, , w1] = spec.nodes;
    const hop = (h: { to: string; nodes?: readonly string[] }) => (h.nodes === undefined ? h.to : h.nodes.join('+'));
    const at = (node: typeof m1, part: 'leader' | 'follower' | 'worker') =>
      (['before', 'after', 'settled'] as const).map((moment) =>
        node === undefined ? '' : strategy.route({ node, part, index: 0 }, moment).map(hop).join(' → '),
      );
    return { leader: at(m1, 'leader'), follower: at(m2, 'follower'), worker: at(w1, 'worker') };
  };

  test.each([
    {
      name: 'direct',
      got: rows(specWith({ name: 'direct' }), 'works'),
      want: {
        leader: ['balancer', 'balancer', 'balancer'],
        follower: ['balancer', 'balancer', 'balancer'],
        worker: ['balancer', 'balancer', 'balancer'],
      },
    },
    {
      name: 'bind-vip behind drop',
      got: rows(specWith({ name: 'bind-vip' }), 'drop'),
      want: {
        leader: ['self', 'self', 'self'],
        follower: ['balancer', 'self', 'self'],
        worker: ['balancer', 'balancer', 'balancer'],
      },
    },
    {
      name: 'bind-vip behind local',
      got: rows(specWith({ name: 'bind-vip' }), 'local'),
      want: {
        leader: ['self', 'self', 'self'],
        follower: ['m1+m3', 'self', 'self'],
        worker: ['balancer', 'balancer', 'balancer'],
      },
    },
    {
      name: 'hosts behind drop',
      got: rows(specWith({ name: 'hosts', to: 'loopback' }), 'drop'),
      want: {
        leader: ['self', 'self', 'self'],
        follower: ['balancer', 'self', 'self'],
        worker: ['balancer', 'balancer', 'balancer'],
      },
    },
    {
      name: 'hosts behind local',
      got: rows(specWith({ name: 'hosts', to: 'own-address' }), 'local'),
      want: {
        leader: ['self', 'self', 'self'],
        follower: ['m1', 'self', 'self'],
        worker: ['balancer', 'balancer', 'balancer'],
      },
    },
    {
      name: 'keepalived-haproxy',
      got: rows(specWith({ name: 'keepalived-haproxy', vrrp: 'silent', port: 9443 }), 'drop'),
      want: {
        leader: ['own-haproxy', 'own-haproxy', 'own-haproxy'],
        follower: ['own-haproxy', 'own-haproxy', 'own-haproxy'],
        worker: ['balancer', 'balancer', 'balancer'],
      },
    },
    {
      name: 'keepalived-vip',
      got: rows(specWith({ name: 'keepalived-vip', interface: undefined, routerId: 51, port: 9443 }), 'works'),
      want: {
        leader: ['vip-holder', 'vip-holder', 'vip-holder'],
        follower: ['vip-holder', 'vip-holder', 'vip-holder'],
        worker: ['vip-holder', 'vip-holder', 'vip-holder'],
      },
    },
    {
      name: 'steer',
      got: rows(specWith({ name: 'steer', workers: false }), 'drop'),
      want: {
        leader: ['balancer', 'self → balancer', 'self → m2+m3 → balancer'],
        follower: ['m1 → balancer', 'self → m1 → balancer', 'self → m1+m3 → balancer'],
        worker: ['balancer', 'balancer', 'balancer'],
      },
    },
    {
      name: 'steer with workers',
      got: rows(specWith({ name: 'steer', workers: true }), 'drop'),
      want: {
        leader: ['balancer', 'self → balancer', 'self → m2+m3 → balancer'],
        follower: ['m1 → balancer', 'self → m1 → balancer', 'self → m1+m3 → balancer'],
        worker: ['m1 → balancer', 'm1 → balancer', 'm1+m2+m3 → balancer'],
      },
    },
  ])('$name', ({ got, want }) => {
    expect(got).toEqual(want);
  });
});
