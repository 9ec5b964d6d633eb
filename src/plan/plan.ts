/**
 * The plan: what has to change so that the nodes become the cluster that the spec describes, and what everybody dials
 * meanwhile. This room is pure: facts in, plan out. It starts no process, opens no file and knows no clock.
 */
import { createHash } from 'node:crypto';
import type { HairpinBehaviour } from '../balancer/behaviour.ts';
import type { StrategyName } from '../spec/spec.ts';
import type { Address } from '../std/address.ts';
import type { Step } from './step.ts';

export interface Plan {
  readonly cluster: string;
  /** `v1.37.2` */
  readonly kubernetes: string;
  readonly nodes: { readonly controlPlane: readonly string[]; readonly workers: readonly string[] };
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly strategy: ChosenStrategy;
  /** In an order in which they may run one by one; `needs` says which may run together. Empty: nothing to do. */
  readonly steps: readonly Step[];
  /** What keeps this plan from being carried out. `up` changes nothing while there is one. */
  readonly blockers: readonly PlanBlocker[];
  readonly warnings: readonly PlanWarning[];
  readonly effectiveEndpoints: readonly EffectiveEndpoint[];
  readonly balancer: BalancerAdvice | undefined;
  /** Length of the longest chain of steps. */
  readonly estimateMs: number;
}

export interface ChosenStrategy {
  readonly name: StrategyName;
  /** `asked for`, or why `auto` took it. */
  readonly because: string;
  /** What the balancer does with a backend that dials it, and how that is known. */
  readonly behaviour: HairpinBehaviour | undefined;
  readonly behaviourFrom: 'measured' | 'spec' | 'unknown';
  /** What this strategy does not survive, in words. */
  readonly doesNotSurvive: string;
}

export interface PlanBlocker {
  readonly code: string;
  /** `undefined`: the cluster as a whole. */
  readonly node: string | undefined;
  readonly problem: string;
  readonly hint: string | undefined;
}

/** `loss`: carrying out the plan destroys something; `up` asks about these by name. */
export interface PlanWarning {
  readonly is: 'loss' | 'warning' | 'note';
  readonly code: string;
  readonly node: string | undefined;
  readonly text: string;
}

export const clientKinds = [
  'kubelet',
  'kube-proxy',
  'kube-controller-manager',
  'kube-scheduler',
  'admin.conf',
  'CNI',
  'pods',
] as const;
export type ClientKind = (typeof clientKinds)[number];

/** Where the connections of one client of one node end, at three moments. */
export interface EffectiveEndpoint {
  /** `undefined`: a client outside the cluster. */
  readonly node: string | undefined;
  readonly client: ClientKind | 'outside';
  readonly beforeInit: Route;
  readonly afterInit: Route;
  readonly afterAllJoined: Route;
}

/** Tried in this order: the next hop is used when the one before it is not there. Empty: this client does not run yet. */
export type Route = readonly Hop[];

export type Hop =
  /** The apiserver of the node itself; `address` when it is dialled by the node's address and not by the endpoint. */
  | { readonly to: 'self'; readonly address?: Address }
  | { readonly to: 'nodes'; readonly nodes: readonly string[] }
  | { readonly to: 'balancer' }
  /** haproxy of the node itself, which spreads over all ready masters. */
  | { readonly to: 'own-haproxy' }
  /** The master that holds the VIP, and its haproxy. */
  | { readonly to: 'vip-holder' }
  /** The Service `kubernetes`, which kube-proxy of the node spreads over all masters: not the endpoint at all. */
  | { readonly to: 'service' };

/** What the balancer in front of this cluster should be set to; the user sets it, hairpin cannot. */
export interface BalancerAdvice {
  readonly listener: { readonly protocol: 'tcp'; readonly port: number };
  readonly backends: readonly { readonly node: string; readonly address: Address; readonly port: number }[];
  readonly healthCheck: {
    readonly protocol: 'tcp' | 'https' | 'http';
    readonly port: number;
    readonly path: string | undefined;
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly rise: number;
    readonly fall: number;
  };
  /** `fall × interval + timeout`: until a dead master gets no new connections. */
  readonly detectionMs: number;
  readonly idleTimeoutAtLeastMs: number;
  readonly notes: readonly string[];
}

/** A fingerprint of what the plan does. Two plans with the same digest change the same things in the same order. */
export function planDigest(plan: Plan): string {
  const { steps, cluster, kubernetes, strategy } = plan;
  return createHash('sha256')
    .update(JSON.stringify({ cluster, kubernetes, strategy: strategy.name, steps }))
    .digest('hex');
}

/** True when carrying out the plan would change nothing. Holds alone change nothing. */
export function isEmpty(plan: Plan): boolean {
  return plan.steps.every((step) => step.kind === 'hold');
}
