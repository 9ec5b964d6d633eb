import type { DocumentOptions } from '../render/kubeadm/documents.ts';
import type { Spec } from '../spec/spec.ts';
import type { BoundStrategy } from '../strategy/strategies.ts';
import type { StepList } from './builder.ts';
import type { PlanBundle } from './bundle.ts';
import type { ClusterState } from './cluster.ts';
import type { NodeDesk } from './desk.ts';
import type { PlanWarning } from './plan.ts';
import type { PhaseName } from './step.ts';
import type { FactsView } from './view.ts';

/** What a phase may read, and where it puts its steps. */
export interface PlanContext {
  readonly spec: Spec;
  readonly view: FactsView;
  readonly cluster: ClusterState;
  readonly strategy: BoundStrategy;
  readonly documents: DocumentOptions;
  /** Where nodes are prepared from one and it has been read. */
  readonly bundle: PlanBundle | undefined;
  /** Names the version of hairpin's own program that nodes get. */
  readonly program: string;
  readonly steps: StepList;
  readonly warn: (warning: PlanWarning) => void;
  /** What a node will have when the steps so far are done. */
  readonly desk: (node: string) => NodeDesk;
}

/**
 * Part of a plan. The list in `phases/index.ts` is the order of planning; phases know each other only through the ids of
 * steps (`ids.ts`) and through what the desks say.
 */
export interface Phase {
  readonly name: PhaseName;
  readonly summary: string;
  plan(cx: PlanContext): void;
}
