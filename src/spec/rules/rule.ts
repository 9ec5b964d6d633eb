import type { Spec, SpecNode } from '../spec.ts';
import type { SpecSurroundings } from '../to-spec.ts';
import type { Finding, YamlPath } from '../yaml-source.ts';

/** The parts of the file that a rule can depend on; `each-node` reads nodes one by one and lives with missing ones. */
export type Section =
  | 'metadata'
  | 'kubernetes'
  | 'endpoint'
  | 'balancer'
  | 'strategy'
  | 'apiServerPort'
  | 'nodes'
  | 'each-node'
  | 'kubeadm';

/**
 * Something that must hold between fields. A rule is a value; `rules/index.ts` is the list. It returns everything that it
 * finds and never throws.
 *
 * A rule runs only when the sections it `reads` could be read: a typo elsewhere must not hide what this rule would say,
 * and a broken section must not make it say something untrue.
 */
export interface Rule {
  readonly name: string;
  /** One sentence for docs/cluster-yaml.md: what has to hold. */
  readonly holds: string;
  readonly codes: readonly string[];
  readonly reads: readonly Section[];
  check(cx: RuleContext): readonly PlacedFinding[];
}

export interface RuleContext {
  readonly spec: Spec;
  readonly products: SpecSurroundings['products'];
  /** True when the user wrote something at this path, false when it is a default. */
  readonly written: (path: YamlPath) => boolean;
  /** Where a node stands in the file: `spec.nodes[3]` and what follows. */
  readonly nodePath: (node: SpecNode, ...rest: YamlPath) => YamlPath;
}

export interface PlacedFinding extends Finding {
  readonly at: YamlPath;
}
