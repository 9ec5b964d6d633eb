import { commandInWords } from './ended.ts';
import type { NodePort, RunOptions, RunResult } from './port.ts';
import { type Exchange, hashOf, type Recording } from './recording.ts';

/**
 * A node that answers from a recording. Each question takes the first unused exchange that fits it, so questions that
 * were asked in parallel may come in another order; a probe that was recorded once may be asked again and gives its
 * last answer. A question that was never recorded throws: the program asks something else than it did then.
 */
export function replay(recording: Recording): NodePort {
  const used = new Set<Exchange>();
  const take = <K extends Exchange['kind']>(
    kind: K,
    fits: (exchange: Extract<Exchange, { kind: K }>) => boolean,
    what: string,
    repeatable: boolean,
  ): Extract<Exchange, { kind: K }> => {
    const fitting = recording.exchanges.filter(
      (e): e is Extract<Exchange, { kind: K }> => e.kind === kind && fits(e as Extract<Exchange, { kind: K }>),
    );
    const found = fitting.find((e) => !used.has(e)) ?? (repeatable ? fitting.at(-1) : undefined);
    if (found === undefined) throw new RangeError(`Not in the recording of ${recording.node}: ${kind} ${what}`);
    used.add(found);
    return found;
  };
  const run = (kind: 'probe' | 'change', argv: readonly string[], opts?: RunOptions): RunResult => {
    const stdin = opts?.stdin === undefined ? undefined : hashOf(opts.stdin);
    const same = (e: Extract<Exchange, { kind: 'probe' | 'change' }>) =>
      e.stdin === stdin && e.result.argv.length === argv.length && e.result.argv.every((arg, i) => arg === argv[i]);
    opts?.onStart?.();
    const { result } = take(kind, same, commandInWords(argv), kind === 'probe');
    for (const stream of ['stdout', 'stderr'] as const) {
      for (const line of result[stream].split('\n').slice(0, -1)) opts?.onLine?.(stream, line);
    }
    return result;
  };
  return {
    name: recording.node,
    probe: async (argv, opts) => run('probe', argv, opts),
    change: async (argv, opts) => run('change', argv, opts),
    readFile: async (path) => take('read', (e) => e.path === path, path, true).content,
    writeFile: async (file) =>
      take('write', (e) => e.path === file.path && e.content === hashOf(file.content), file.path, false).written,
  };
}
