import { dirname, join } from 'node:path';
import type { BalancerConfig } from '../../balancer/behaviour.ts';
import type { Address, Family } from '../../std/address.ts';
import type { LabContext } from '../tier/tier.ts';
import type { Topology } from '../topology/topology.ts';

/** What the balancer daemon of one lab is told, as a JSON file. Everything it needs and nothing that it could look up. */
export interface BalancerdConfig {
  readonly lab: string;
  /** The namespace that it runs in, and must not run outside of. */
  readonly netns: string;
  readonly network: 'routed' | 'segment';
  readonly balancer: BalancerConfig;
  readonly vips: readonly Address[];
  /** The balancer's own address, one per family. */
  readonly own: readonly Address[];
  /** The port that clients dial. */
  readonly port: number;
  readonly backends: readonly BackendConfig[];
  readonly socket: string;
  /** For the daemon's own files: remembered health, haproxy.cfg. */
  readonly dir: string;
  /** Certificate and key in one file, for a balancer that ends TLS. */
  readonly certificate: string;
}

export interface BackendConfig {
  readonly name: string;
  /** One per family, IPv4 first. The health check dials the first. */
  readonly addresses: readonly Address[];
  readonly port: number;
}

/** Pure: the daemon's configuration that follows from the lab's drawing. */
export function balancerdConfig(topology: Topology, paths: LabContext['paths']): BalancerdConfig {
  const { spec, balancer } = topology;
  return {
    lab: spec.name,
    netns: balancer.netns,
    network: topology.network,
    balancer: spec.balancer,
    vips: balancer.vips,
    own: balancer.addresses,
    port: spec.endpoint.port,
    backends: topology.machines
      .filter(({ machine }) => machine.role === 'control-plane')
      .map(({ machine }) => ({ name: machine.name, addresses: machine.addresses, port: spec.backendPort })),
    socket: paths.balancerSocket,
    dir: join(dirname(paths.balancerSocket), 'balancer'),
    certificate: join(paths.pki, 'balancer.pem'),
  };
}

/** The families that the front end has; a backend without an address of one is not reached in it. */
export function familiesOf(config: BalancerdConfig): readonly Family[] {
  return ([4, 6] as const).filter((family) => config.vips.some((vip) => vip.family === family));
}

export function inFamily(addresses: readonly Address[], family: Family): Address | undefined {
  return addresses.find((a) => a.family === family);
}

/** Where checks of backends of `family` come from; `undefined` lets the kernel choose. */
export function probeSource(config: BalancerdConfig, family: Family): Address | undefined {
  const wanted = config.balancer.probeSource;
  if (wanted === 'vip') return inFamily(config.vips, family);
  if (wanted !== 'balancer' && wanted.family === family) return wanted;
  return inFamily(config.own, family);
}

/** The packet mark, and routing table, of the backend at `index` where the balancer steers instead of translating. */
export function steeringMark(index: number): number {
  return 0x4a00 + index;
}

/** Name of the emulator's nftables table, one per family. */
export const tableName = 'balancer';

/** How long an idle established flow is remembered, in whole seconds. 15 minutes is what most products and IPVS have. */
export function idleSeconds(config: BalancerdConfig): number {
  return Math.max(1, Math.round((config.balancer.idleMs ?? 900_000) / 1000));
}
