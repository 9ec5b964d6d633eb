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
  // By node, then by slug, with the earliest end of each step: nobody hashes the ids of 80,000 steps, which would be a
  // third of the time of a large plan.
  readonly #nodes = new Map<string, NodeChain>();
  #longestMs = 0;

  add(node: string, phase: PhaseName, draft: Draft): StepId {
    const { slug, alsoNeeds = [], estimateMs = estimates.command, undo = noUndo, ...rest } = draft;
    const id: StepId = `${node}/${slug}`;
    const chain = this.#nodes.get(node) ?? { ends: new Map(), last: undefined, lastEnd: 0 };
    if (chain.last === undefined) this.#nodes.set(node, chain);
    const { ends, last } = chain;
    if (ends.has(slug)) throw new TypeError(`Two steps are called ${id}`);
    let start = chain.lastEnd;
    for (const need of alsoNeeds) {
      const end = this.#endOf(need);
      if (end === undefined) throw new TypeError(`${id} needs ${need}, which is not planned before it`);
      start = Math.max(start, end);
    }
    const needs = last === undefined ? [...alsoNeeds] : [last, ...alsoNeeds.filter((need) => need !== last)];
    this.#steps.push({ ...rest, id, node, phase, needs, estimateMs, undo } as Step);
    const end = start + estimateMs;
    ends.set(slug, end);
    chain.last = id;
    chain.lastEnd = end;
    this.#longestMs = Math.max(this.#longestMs, end);
    return id;
  }

  /** The last step of a node so far; a list of none or one, as `alsoNeeds` takes it. */
  lastOf(node: string): readonly StepId[] {
    const last = this.#nodes.get(node)?.last;
    return last === undefined ? [] : [last];
  }

  has(id: StepId): boolean {
    return this.#endOf(id) !== undefined;
  }

  isPlanned(node: string, slug: string): boolean {
    return this.#nodes.get(node)?.ends.has(slug) ?? false;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Milliseconds of the longest chain. */
  get longestMs(): number {
    return this.#longestMs;
  }

  #endOf(id: StepId): number | undefined {
    // No name of a node has a slash.
    const slash = id.indexOf('/');
    return this.#nodes.get(id.slice(0, slash))?.ends.get(id.slice(slash + 1));
  }
}

interface NodeChain {
  /** From a slug to milliseconds after the start of the plan. */
  readonly ends: Map<string, number>;
  last: StepId | undefined;
  lastEnd: number;
}

const noUndo: Undo = { is: 'nothing', because: 'leaves nothing on the node' };
