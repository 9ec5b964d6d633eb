import type { HairpinBehaviour } from '../../src/balancer/behaviour.ts';
import type { Spec, StrategySpec } from '../../src/spec/spec.ts';
import type { UnsafeChoice } from '../../src/strategy/strategy.ts';
import { makeSpec } from './any-spec.ts';

export interface RenderCase {
  readonly name: string;
  readonly spec: Spec;
  readonly behaviour: HairpinBehaviour;
  readonly node: string;
  readonly acceptUnsafe: readonly UnsafeChoice[];
}

const one = (
  name: string,
  strategy: StrategySpec,
  opts: { ip?: 4 | 6; node?: string; behaviour?: HairpinBehaviour; acceptUnsafe?: readonly UnsafeChoice[] } = {},
): RenderCase => ({
  name,
  spec: makeSpec({
    masters: 3,
    workers: 1,
    ip: opts.ip ?? 4,
    version: 'v1.37.2',
    bundle: false,
    cni: 'bridge',
    strategy,
  }),
  behaviour: opts.behaviour ?? 'drop',
  node: opts.node ?? 'm2',
  acceptUnsafe: opts.acceptUnsafe ?? [],
});

const vip: StrategySpec = { name: 'keepalived-vip', interface: undefined, routerId: 51, port: 9443 };

/** One node of each strategy and family; golden in the unit tier, read by the real programs in the wire tier. */
export const renderCases: readonly RenderCase[] = [
  one('direct', { name: 'direct' }, { behaviour: 'works' }),
  one('bind-vip', { name: 'bind-vip' }),
  one('bind-vip-6', { name: 'bind-vip' }, { ip: 6 }),
  one('bind-vip-local', { name: 'bind-vip' }, { behaviour: 'local' }),
  one('hosts-follower', { name: 'hosts', to: 'loopback' }),
  one('hosts-worker', { name: 'hosts', to: 'loopback' }, { node: 'w1' }),
  one('keepalived-haproxy', { name: 'keepalived-haproxy', vrrp: 'unicast', port: 9443 }),
  one('keepalived-haproxy-silent-6', { name: 'keepalived-haproxy', vrrp: 'silent', port: 9443 }, { ip: 6 }),
  one('keepalived-vip', vip),
  one('keepalived-vip-6', vip, { ip: 6 }),
  one('keepalived-vip-all-master', vip, { acceptUnsafe: ['all-master-vip'] }),
  one('steer', { name: 'steer', workers: false }),
  one('steer-6', { name: 'steer', workers: false }, { ip: 6 }),
  one('steer-worker', { name: 'steer', workers: true }, { node: 'w1' }),
];
