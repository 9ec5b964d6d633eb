import type { NodePort } from '../node/port.ts';
import type { Clock, Fact } from './types.ts';

/**
 * Asks the node for its time. The answer is right for some moment between asking and hearing, so the middle is assumed
 * and half of the way told as uncertainty.
 */
export async function readClock(
  node: NodePort,
  opts: { signal?: AbortSignal | undefined; now?: () => number },
): Promise<Fact<Clock>> {
  const now = opts.now ?? Date.now;
  const asked = now();
  let heard: number | undefined;
  const result = await node.probe(['date', '+%s%N'], {
    signal: opts.signal,
    timeout: 5000,
    onLine: () => {
      heard ??= now();
    },
  });
  const answered = heard ?? now();
  const match = /^(\d+)(\d{9})\n/.exec(result.stdout);
  if (match === null) return { is: 'unknown', reason: 'date does not tell nanoseconds here' };
  const there = Number(match[1]) * 1000 + Number(match[2]) / 1e6;
  return {
    is: 'known',
    value: { offsetMs: Math.round(there - (asked + answered) / 2), uncertaintyMs: Math.ceil((answered - asked) / 2) },
  };
}
