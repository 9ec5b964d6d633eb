import { OperatorError } from '../errors/operator-error.ts';
import { formatDuration } from '../std/duration.ts';
import { quoteArgv } from '../std/quote.ts';
import type { RunOptions } from './port.ts';

/** A command as errors print it: whole when short, the first words otherwise (scripts are long and say little). */
export function commandInWords(argv: readonly string[]): string {
  const text = quoteArgv(argv).split('\n')[0] ?? '';
  return text.length > 100 ? `${text.slice(0, 97)}…` : text;
}

/** Throws what an abort or a timeout means to the caller. Nothing when the command ended by itself. */
export function throwWhenStopped(
  node: string,
  argv: readonly string[],
  why: 'timeout' | 'aborted' | undefined,
  opts: RunOptions,
): void {
  if (why === 'aborted') throw opts.signal?.reason ?? new OperatorError('INTERRUPTED', `Stopped a command on ${node}`);
  if (why === 'timeout') {
    throw new OperatorError(
      'NODE_TIMEOUT',
      `A command on ${node} did not end within ${formatDuration(opts.timeout ?? 0)}: ${commandInWords(argv)}`,
      { hint: `see what it waits for: run it on ${node} by hand` },
    );
  }
}
