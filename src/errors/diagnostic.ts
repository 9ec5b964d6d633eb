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
}

/** The line a person reads: `cluster.yaml:14:16  spec.endpoint.address: …   CODE`. */
export function formatDiagnostic(d: Diagnostic): string {
  const where = `${d.file}:${d.line}:${d.column}`;
  const what = d.path === '' ? d.problem : `${d.path}: ${d.problem}`;
  const expected = d.expected === undefined ? '' : `; expected ${d.expected}`;
  const hint = d.hint === undefined ? '' : `\n    ${d.hint}`;
  return `${where}  ${what}${expected}   ${d.code}${hint}`;
}
