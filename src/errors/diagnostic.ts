/**
 * One thing wrong with a file that a person wrote, at the place where they wrote it.
 *
 * `path` is the YAML path (`spec.nodes[3].address`), `problem` says what is wrong, `expected` what would be right and
 * `hint` what to do. Line and column start at 1; both are 1 where the file as a whole is meant.
 */
export interface Diagnostic {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly code: string;
  readonly problem: string;
  readonly expected?: string;
  readonly hint?: string;
  /** Absent means `error`. A file whose diagnostics are all warnings is used; they are printed. */
  readonly severity?: Severity;
}

export type Severity = 'error' | 'warning';

export function isError(d: Diagnostic): boolean {
  return d.severity !== 'warning';
}

/** The line a person reads: `cluster.yaml:14:16  spec.endpoint.address: …   CODE`. */
export function formatDiagnostic(d: Diagnostic): string {
  const where = `${d.file}:${d.line}:${d.column}`;
  const problem = isError(d) ? d.problem : `warning: ${d.problem}`;
  const what = d.path === '' ? problem : `${d.path}: ${problem}`;
  const expected = d.expected === undefined ? '' : `; expected ${d.expected}`;
  const hint = d.hint === undefined ? '' : `\n    ${d.hint}`;
  return `${where}  ${what}${expected}   ${d.code}${hint}`;
}
