/**
 * Strategies: how nodes reach the endpoint. One file a strategy, each a value. A strategy says what has to be on a node
 * at which moment and where a connection to the endpoint ends then; when it does not fit, and why; and what it does not
 * survive. It does not say how to get there: `plan/` compares what is wanted with the facts. This room does no I/O.
 */
import type { HairpinBehaviour } from '../balancer/behaviour.ts';
import type { Route } from '../plan/plan.ts';
import type { HoldCheck } from '../plan/step.ts';
import type { Spec, SpecNode, StrategyName, StrategySpec } from '../spec/spec.ts';
import type { Address } from '../std/address.ts';

/** The leader is the master that runs `kubeadm init`; the other masters follow it. */
export type Part = 'leader' | 'follower' | 'worker';

/** `before` and `after` are the node's own init or join; `settled` is when every node has joined. */
export type Moment = 'before' | 'after' | 'settled';

export interface Place {
  readonly node: SpecNode;
  readonly part: Part;
  /** Position in the list of masters (or workers), from 0. */
  readonly index: number;
}

/** Everything a strategy may know but its own options. */
export interface BaseContext {
  readonly spec: Spec;
  /** `undefined`: neither measured nor written in the spec. */
  readonly behaviour: HairpinBehaviour | undefined;
  /** What the endpoint's name resolves to, or the endpoint's address. */
  readonly endpointAddresses: readonly Address[];
  readonly masters: readonly SpecNode[];
  readonly leader: SpecNode;
  /** The interface that has the node's primary address. */
  readonly device: (node: SpecNode) => string;
  readonly acceptUnsafe: ReadonlySet<UnsafeChoice>;
  /** Names the version of hairpin's own program that nodes get (src/program/identity.ts). */
  readonly program: string;
  /** Names of masters that are drained: their agents say so by a file (`agentPaths.drainFile`). */
  readonly draining: readonly string[];
}

/** `options` are those of the strategy itself, whether asked for or chosen. */
export interface StrategyContext<N extends StrategyName = StrategyName> extends BaseContext {
  readonly options: Extract<StrategySpec, { readonly name: N }>;
}

/** What `--accept-unsafe` takes. */
export const unsafeChoices = ['all-master-vip'] as const;
export type UnsafeChoice = (typeof unsafeChoices)[number];

export interface Strategy<N extends StrategyName = StrategyName> {
  readonly name: N;
  /** One line for lists and docs. */
  readonly summary: string;
  readonly doesNotSurvive: string;
  /** `undefined`: it fits. */
  unsuitable(cx: StrategyContext<N>): Unsuitable | undefined;
  warnings(cx: StrategyContext<N>): readonly StrategyWarning[];
  /** Programs that must be on the node for this to work. Each entry is a list of alternatives. */
  tools(cx: StrategyContext<N>, place: Place): readonly (readonly string[])[];
  wants(cx: StrategyContext<N>, place: Place, moment: Moment): Wanted;
  /** Where a new connection of this node to the endpoint ends, at this moment. */
  route(cx: StrategyContext<N>, place: Place, moment: Moment): Route;
}

export interface Unsuitable {
  readonly code: string;
  readonly reason: string;
  readonly hint: string;
}

export interface StrategyWarning {
  readonly code: string;
  readonly text: string;
}

/** What should be on a node at a moment, as far as the strategy is concerned. */
export interface Wanted {
  /** hairpin's own program, its user, and the cluster's CA before the node has it from kubeadm; comes before the files. */
  readonly program: boolean;
  readonly files: readonly WantedFile[];
  readonly units: readonly WantedUnit[];
  /** Lines of our block in /etc/hosts; empty: no block. */
  readonly hosts: readonly string[];
  /** Ours, and must not be there any more. */
  readonly gone: readonly Gone[];
  /** What must be true before the node goes on. */
  readonly holds: readonly HoldCheck[];
  /** Clients on this node that read /etc/hosts once, when they started, and dial the endpoint. */
  readonly staleAfterHostsChange: { readonly staticPods: readonly string[]; readonly hostNetworkPods: boolean };
}

export interface WantedFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  readonly because: string;
}

/** Enabled and running; started anew when one of `restartOn` changes, told to read again when one of `reloadOn` does. */
export interface WantedUnit {
  readonly unit: string;
  readonly because: string;
  /** Paths of files that the running unit has read. */
  readonly restartOn: readonly string[];
  readonly reloadOn?: readonly string[];
  /** `ours`: its unit file is in `files`. */
  readonly kind: 'ours' | 'package';
  /** What `reset` runs instead of disabling the unit; `says` it in words. */
  readonly undo: { readonly argv: readonly string[]; readonly says: string } | undefined;
}

/** A unit of ours is stopped and disabled (by `uninstall` when it has one), then its files are deleted. */
export interface Gone {
  readonly unit: string;
  readonly uninstall: readonly string[] | undefined;
  readonly files: readonly string[];
  readonly because: string;
}

export const nothing: Wanted = {
  program: false,
  files: [],
  units: [],
  hosts: [],
  gone: [],
  holds: [],
  staleAfterHostsChange: { staticPods: [], hostNetworkPods: false },
};
