import { estimates } from './estimates.ts';
import type { PhaseName, Step, StepId, Undo } from './step.ts';

/** A step without what the builder knows: where, when and after what. */
export type Draft = DistributiveOmit<Step, 'id' | 'node' | 'phase' | 'needs' | 'estimateMs' | 'undo'> & {
  /** Unique on the node within the plan. */
  readonly slug: string;
  readonly estimateMs?: number;
  readonly undo?: Undo;
  readonly alsoNeeds?: readonly StepId[];
};

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * Collects steps. What happens on one node happens in the order of adding (a chain); between nodes there is only what
 * `alsoNeeds` says, so everything else may run together. A step can need only what was added before it: the order of
 * the list is an order in which the steps can run, by construction.
 */
export class StepList {
  readonly #steps: Step[] = [];
  // By node, then by slug: ids of 80,000 steps would all be hashed, which is a third of the time of a large plan.
  readonly #nodes = new Map<string, { readonly slugs: Set<string>; last: StepId | undefined }>();

  add(node: string, phase: PhaseName, draft: Draft): StepId {
    const { slug, alsoNeeds = [], estimateMs = estimates.command, undo = noUndo, ...rest } = draft;
    const id: StepId = `${node}/${slug}`;
    const planned = this.#nodes.get(node) ?? { slugs: new Set(), last: undefined };
    if (planned.last === undefined) this.#nodes.set(node, planned);
    const { slugs, last } = planned;
    if (slugs.has(slug)) throw new TypeError(`Two steps are called ${id}`);
    for (const need of alsoNeeds)
      if (!this.has(need)) throw new TypeError(`${id} needs ${need}, which is not planned before it`);
    const needs = last === undefined ? [...alsoNeeds] : [last, ...alsoNeeds.filter((need) => need !== last)];
    this.#steps.push({ ...rest, id, node, phase, needs, estimateMs, undo } as Step);
    slugs.add(slug);
    planned.last = id;
    return id;
  }

  /** The last step of a node so far; a list of none or one, as `alsoNeeds` takes it. */
  lastOf(node: string): readonly StepId[] {
    const last = this.#nodes.get(node)?.last;
    return last === undefined ? [] : [last];
  }

  has(id: StepId): boolean {
    // No name of a node has a slash.
    const end = id.indexOf('/');
    return this.isPlanned(id.slice(0, end), id.slice(end + 1));
  }

  isPlanned(node: string, slug: string): boolean {
    return this.#nodes.get(node)?.slugs.has(slug) ?? false;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }
}

const noUndo: Undo = { is: 'nothing', because: 'leaves nothing on the node' };

/** Length of the longest chain. `steps` is in an order in which they can run. */
export function longestChainMs(steps: readonly Step[]): number {
  const ends = new Map<StepId, number>();
  let longest = 0;
  for (const step of steps) {
    let start = 0;
    for (const need of step.needs) start = Math.max(start, ends.get(need) ?? 0);
    const end = start + step.estimateMs;
    ends.set(step.id, end);
    longest = Math.max(longest, end);
  }
  return longest;
}
