/**
 * Things that should be true of a running cluster, as values with a verdict. Asks nodes through `probe` only; changes
 * nothing. `ask/` holds the questions that one node answers, which steps wait for as well.
 */
import type { NodePort } from '../../node/port.ts';

/**
 * A question to a node, as a piece of sh: exit code 0 is yes; otherwise what it prints is what was seen. Arguments are
 * `$1`, `$2`, … so that nothing has to be quoted.
 */
export interface Question {
  /** What should be true, as errors print it after `want:`. */
  readonly want: string;
  readonly script: string;
  readonly args: readonly string[];
}

export type Verdict =
  | { readonly is: 'ok'; readonly saw?: string }
  | { readonly is: 'skip'; readonly reason: string }
  | { readonly is: 'not-ok'; readonly want: string; readonly saw: string };

/** Asks once. */
export async function askOnce(
  node: NodePort,
  question: Question,
  opts: { signal: AbortSignal; timeoutMs?: number },
): Promise<Verdict> {
  const argv = ['sh', '-c', question.script, 'hairpin-ask', ...question.args];
  const { exitCode, stdout, stderr } = await node.probe(argv, {
    timeout: opts.timeoutMs ?? 20_000,
    signal: opts.signal,
  });
  const said = lastLine(stdout);
  if (exitCode === 0) return said === undefined ? { is: 'ok' } : { is: 'ok', saw: said };
  return { is: 'not-ok', want: question.want, saw: said ?? lastLine(stderr) ?? `exit code ${exitCode}` };
}

/** The last line that says something. */
export function lastLine(text: string): string | undefined {
  return text.trim() === '' ? undefined : text.trim().split('\n').at(-1);
}
