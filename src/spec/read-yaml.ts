import type { z } from 'zod';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { explainIssue } from './explain-issue.ts';
import { quickYaml } from './quick-yaml.ts';
import { parseYamlSource, sourceOfData, type YamlSource } from './yaml-source.ts';

export type YamlResult<T> =
  | { readonly ok: true; readonly value: T; readonly source: YamlSource }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Reads a YAML file that a person wrote: text and schema in, value or *all* problems out, each with its line and column
 * (cluster.yaml and lab.yaml both come through here). Does no I/O: `file` is only printed.
 *
 * Say what a field wants with `wants(schema, 'an IP address such as 10.0.0.4')`; otherwise the schema's type is named.
 * `source` places the findings of cross-field rules.
 */
export function readYaml<S extends z.ZodType>(text: string, schema: S, file: string): YamlResult<z.output<S>> {
  const quick = quickYaml(text);
  if (quick !== undefined) {
    const parsed = schema.safeParse(quick.data);
    if (parsed.success) return { ok: true, value: parsed.data, source: sourceOfData(text, file, quick.data) };
  }
  const source = parseYamlSource(text, file);
  if (source.diagnostics.length > 0) return { ok: false, diagnostics: source.diagnostics };
  if (source.data === null || source.data === undefined) {
    const empty = { code: 'FIELD_MISSING', problem: 'the file is empty', expected: 'a YAML document' };
    return { ok: false, diagnostics: [source.diagnose([], empty)] };
  }
  const parsed = schema.safeParse(source.data, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data, source };
  const diagnostics = parsed.error.issues.flatMap((issue) => explainIssue(issue, schema, source));
  return { ok: false, diagnostics: diagnostics.toSorted(byPlace) };
}

/** Top of the file first. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.line - b.line || a.column - b.column;
}
