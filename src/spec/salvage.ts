import type { z } from 'zod';
import type { Section } from './rules/rule.ts';
import type { clusterSchema, ParsedClusterFile } from './schema.ts';

/** What is left of a file with broken fields: those parts taken out, and a record of which they were. */
export interface Salvaged {
  readonly file: ParsedClusterFile;
  /** Where each node that is left stood in the file. */
  readonly nodeIndices: readonly number[];
  readonly broken: ReadonlySet<Section>;
}

/** Stand-ins for sections that nothing can be done without. No rule that reads them runs. */
const standIns: Readonly<Record<string, unknown>> = {
  kubernetes: { version: 'v1.37.2' },
  endpoint: { address: '192.0.2.1' },
  nodes: [{ name: 'stand-in', role: 'control-plane', address: '192.0.2.2' }],
};

/**
 * Takes out what the schema refuses, so that the cross-field rules can judge the rest in the same run. `undefined` when
 * nothing sensible is left. Unknown keys do not make a section broken: what is known around them still holds.
 */
export function salvage(data: unknown, schema: typeof clusterSchema): Salvaged | undefined {
  if (!isMapping(data) || !isMapping(data.spec)) return undefined;
  const broken = new Set<Section>();
  // One copy, changed in place: a file with a thousand mistakes must not be copied a thousand times.
  const spec = structuredClone(data.spec);
  const lostNodes = new Set<number>();
  for (const issue of schema.safeParse(data).error?.issues ?? []) {
    const [top, section, index] = issue.path;
    if (top !== 'spec') continue;
    if (issue.code === 'unrecognized_keys') {
      removeKeys(spec, issue);
      continue;
    }
    if (section === undefined) return undefined;
    broken.add(String(section) as Section);
    if (section === 'nodes' && typeof index === 'number') lostNodes.add(index);
    else if (section === 'nodes') broken.add('each-node');
    else delete spec[String(section)];
  }

  const nodes = Array.isArray(spec.nodes) ? spec.nodes : [];
  const nodeIndices = nodes.map((_, index) => index).filter((index) => !lostNodes.has(index));
  spec.nodes = nodeIndices.map((index) => nodes[index] as unknown);
  if (broken.has('each-node') || nodeIndices.length === 0) {
    spec.nodes = standIns.nodes;
    broken.add('nodes').add('each-node');
  }
  for (const [section, standIn] of Object.entries(standIns)) {
    if (spec[section] !== undefined) continue;
    spec[section] = standIn;
    broken.add(section as Section);
  }
  const header = { apiVersion: 'hairpin/v1alpha1', kind: 'Cluster', metadata: { name: 'stand-in' } };
  const parsed = schema.safeParse({ ...header, spec });
  return parsed.success ? { file: parsed.data, nodeIndices, broken } : undefined;
}

/** Removes the keys that the issue names; its path starts at the root of the file. */
function removeKeys(spec: Record<string, unknown>, issue: z.core.$ZodIssueUnrecognizedKeys): void {
  let target: unknown = spec;
  for (const key of issue.path.slice(1)) target = (target as Record<PropertyKey, unknown> | undefined)?.[key];
  if (isMapping(target)) for (const key of issue.keys) delete target[key];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
