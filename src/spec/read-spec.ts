import { dirname } from 'node:path';
import { type Diagnostic, isError } from '../errors/diagnostic.ts';
import { byPlace, readYaml } from './read-yaml.ts';
import { rules as allRules } from './rules/index.ts';
import type { Rule, RuleContext, Section } from './rules/rule.ts';
import { salvage } from './salvage.ts';
import { clusterSchema } from './schema.ts';
import type { Spec, SpecNode } from './spec.ts';
import { type SpecSurroundings, toSpec } from './to-spec.ts';
import { parseYamlSource, type YamlSource } from './yaml-source.ts';

export type SpecResult =
  | {
      readonly ok: true;
      readonly spec: Spec;
      /** What will work and is probably not meant. */
      readonly warnings: readonly Diagnostic[];
      /** Places later findings (of facts, of the plan) in the file. */
      readonly source: YamlSource;
    }
  /** Errors and warnings together, in the order of the file. */
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export interface ReadSpecOptions {
  /** Printed in messages; paths in the file are relative to its directory. */
  readonly file: string;
  readonly products: SpecSurroundings['products'];
  /** What `~/` stands for in paths; left as it is when absent. */
  readonly home?: string | undefined;
}

/** Text of `cluster.yaml` → spec, or everything that is wrong with it, each with its place. */
export function readSpec(text: string, opts: ReadSpecOptions): SpecResult {
  const around = { directory: dirname(opts.file), products: opts.products, home: opts.home };
  const result = readYaml(text, clusterSchema, opts.file);
  if (result.ok) {
    const indices = result.value.spec.nodes.map((_, index) => index);
    const spec = toSpec(result.value, around);
    const found = judge(spec, { source: result.source, indices, broken: new Set(), products: opts.products });
    if (found.some(isError)) return { ok: false, diagnostics: found };
    return { ok: true, spec, warnings: found, source: result.source };
  }
  return { ok: false, diagnostics: [...result.diagnostics, ...judgeTheRest(text, around, opts)].toSorted(byPlace) };
}

/** Fields are wrong somewhere; rules that do not read those places still have something to say. */
function judgeTheRest(text: string, around: SpecSurroundings, opts: ReadSpecOptions): readonly Diagnostic[] {
  const source = parseYamlSource(text, opts.file);
  const rest = salvage(source.data, clusterSchema);
  if (rest === undefined) return [];
  const spec = toSpec(rest.file, around);
  return judge(spec, { source, indices: rest.nodeIndices, broken: rest.broken, products: opts.products });
}

function judge(
  spec: Spec,
  from: {
    source: YamlSource;
    indices: readonly number[];
    broken: ReadonlySet<Section>;
    products: SpecSurroundings['products'];
  },
): Diagnostic[] {
  const indexOf = new Map<SpecNode, number>(spec.nodes.map((node, i) => [node, from.indices[i] ?? i]));
  const cx: RuleContext = {
    spec,
    products: from.products,
    written: (path) => from.source.has(path),
    nodePath: (node, ...rest) => ['spec', 'nodes', indexOf.get(node) ?? 0, ...rest],
  };
  const usable = (rule: Rule) => !rule.reads.some((section) => from.broken.has(section));
  return allRules
    .filter(usable)
    .flatMap((rule) => rule.check(cx))
    .map(({ at, ...finding }) => from.source.diagnose(at, finding))
    .toSorted(byPlace);
}
