import type { BalancerConfig } from '../../balancer/behaviour.ts';
import type { Address, Cidr } from '../../std/address.ts';

export type Tier = 'wire' | 'node';
export type LabRole = 'control-plane' | 'worker' | 'client';
/** See topology.ts: clouds are `routed`, one-arm and LVS-DR need a `segment`. */
export type NetworkKind = 'routed' | 'segment';

/**
 * A lab as wanted: what `lab.yaml` or the flags of `lab up` say, with every default filled in and every cross-field rule
 * held. Plain data; the only input of the topology.
 */
export interface LabSpec {
  readonly name: string;
  readonly tier: Tier;
  /** `v1.37.2`; used by the node tier only. */
  readonly kubernetes: string;
  readonly ip: '4' | '6' | 'dual';
  readonly network: NetworkKind;
  /** One per family in use, IPv4 first. Cluster nodes live here. */
  readonly nodeSubnets: readonly Cidr[];
  /** One per family in use: outside clients live here, a router hop away. */
  readonly clientSubnets: readonly Cidr[];
  readonly podSubnets: readonly Cidr[];
  readonly serviceSubnets: readonly Cidr[];
  readonly machines: readonly LabMachine[];
  readonly endpoint: LabEndpoint;
  /** The product preset that `balancer` came from, if any. */
  readonly preset: string | undefined;
  readonly balancer: BalancerConfig;
  readonly backendPort: number;
  readonly apiServerPort: number;
  /** Nodes with sshd and nothing of Kubernetes: a bundle has to bring it. */
  readonly bare?: true;
}

/** m1… are masters, w1… workers, c1… outside clients. One address per family in use, IPv4 first. */
export interface LabMachine {
  readonly name: string;
  readonly role: LabRole;
  readonly addresses: readonly Address[];
}

/** `domain` is set when clients dial a name; it then resolves to `addresses`, in the lab's own DNS server. */
export interface LabEndpoint {
  readonly domain: string | undefined;
  readonly addresses: readonly Address[];
  readonly port: number;
}
