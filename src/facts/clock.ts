import type { Clock, Fact } from './types.ts';

/** Prints the node's time as a line: seconds and nine digits of nanoseconds. */
export const clockScript = 'date +%s%N';

/**
 * Reads a line of `clockScript`. It is right for some moment between asking and hearing (milliseconds of this machine), so
 * the middle is assumed and half of the way told as uncertainty.
 */
export function readClock(line: string, { asked, heard }: { asked: number; heard: number }): Fact<Clock> {
  const match = /^(\d+)(\d{9})$/.exec(line);
  if (match === null) return { is: 'unknown', reason: 'date does not tell nanoseconds here' };
  const there = Number(match[1]) * 1000 + Number(match[2]) / 1e6;
  return {
    is: 'known',
    value: { offsetMs: Math.round(there - (asked + heard) / 2), uncertaintyMs: Math.ceil((heard - asked) / 2) },
  };
}
