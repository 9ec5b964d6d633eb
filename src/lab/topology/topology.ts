import type { Address, Cidr } from '../../std/address.ts';
import type { LabMachine, LabSpec } from '../spec/lab-spec.ts';

/**
 * The lab as a drawing: which namespaces there are, how they are linked, which address and route is where. Pure data
 * from pure functions; `commands` turns it into argv, and only `runtime` runs that.
 *
 * `routed`: every packet between nodes crosses the fabric, which un-NATs replies (clouds).
 * `segment`: nodes and the balancer are machines on one bridge, so replies between nodes bypass the balancer
 * (one-arm, LVS-DR, VRRP; gratuitous ARP works).
 */
export interface Topology {
  readonly spec: LabSpec;
  readonly network: 'routed' | 'segment';
  /** Namespace names as `ip netns` shows them: `hp-LAB-fabric`, `hp-LAB-m1`, … */
  readonly fabric: FabricSpace;
  /** Where the balancer runs: the fabric itself in `routed`, a namespace of its own in `segment`. */
  readonly balancer: BalancerSpace;
  readonly machines: readonly MachineSpace[];
  /** Wire tier only: a pod on each node, with an address of its own behind the node. */
  readonly pods: readonly PodSpace[];
  readonly dns: { readonly addresses: readonly Address[]; readonly netns: string };
}

export interface FabricSpace {
  readonly netns: string;
  /** The router's address in each subnet it serves (`.1`). */
  readonly gateways: readonly { readonly subnet: Cidr; readonly address: Address }[];
}

export interface BalancerSpace {
  readonly netns: string;
  /** Its way out where it is a machine on a segment; the fabric's own links serve it otherwise. */
  readonly links: readonly MachineLink[];
  /** The balancer's own address (source of SNAT and of proxied connections), one per family. */
  readonly addresses: readonly Address[];
  readonly vips: readonly Address[];
}

export interface MachineSpace {
  readonly machine: LabMachine;
  readonly netns: string;
  /** Interface in the machine (`eth0`) and its peer in the fabric (`m1`). */
  readonly device: string;
  readonly peer: string;
  /** The machine's subnets and, in each, the router that its default route goes to. */
  readonly links: readonly MachineLink[];
  /** Addresses that are the machine's own besides those of its device: the front end's, where the behaviour is `local`. */
  readonly locals: readonly Address[];
  /** This node's share of the pod subnets; the fabric routes it to the node. Empty for clients. */
  readonly podCidrs: readonly Cidr[];
}

export interface MachineLink {
  readonly address: Address;
  readonly subnet: Cidr;
  readonly gateway: Address;
}

/** A pod as the bridge CNI with `ipMasq` makes one: what it sends out of the node carries the node's address. */
export interface PodSpace {
  readonly name: string;
  readonly netns: string;
  readonly node: string;
  readonly addresses: readonly Address[];
  /** The node's end of the pod's link, one per family. */
  readonly gateways: readonly Address[];
}
