import type { Attempt } from '../history/record.ts';
import type { Window } from './window.ts';

export interface ConnectionsJudged {
  readonly attempts: number;
  readonly failed: number;
  /** Failures by what they were, e.g. `{ 'timeout answer': 10 }`. */
  readonly failures: Readonly<Record<string, number>>;
  /**
   * From the last good request before a row of failures to the first good one after it, by when they were due; the
   * longest. 0 when nothing failed. One that lasts to the end of the history is counted up to there.
   */
  readonly longestOutageMs: number;
  /** End of the last failed request minus fault; 0 when nothing failed, `never` when it went on to the end. */
  readonly allGoodAfterMs: number | 'never';
  /** When the last failed or slow request was due, minus fault: from then on all was as before. */
  readonly steadyAfterMs: number | 'never';
  /** Milliseconds that good requests took. */
  readonly beforeMs: Spread;
  readonly afterMs: Spread;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Failures within this time of the end mean that they have not ended: there was no time to see it. */
const settleMs = 2000;

/** Slow is a request that took so much longer than the slowest tenth before the fault, or a held SYN's second. */
const slowFactor = 5;
const slowAtLeastMs = 250;

/** Requests that were due from the fault on; `attempts` are of one client and kind, ordered by when they were due. */
export function judgeConnections(attempts: readonly Attempt[], window: Window): ConnectionsJudged {
  const before = attempts.filter((a) => a.endedAt < window.injectAt && a.scheduledAt >= window.beginAt);
  // One that was under way when the fault came is the fault's as well.
  const after = attempts.filter((a) => a.endedAt >= window.injectAt && a.scheduledAt <= window.endAt);
  const failed = after.filter(isFailed);
  const beforeMs = spread(before.filter((a) => !isFailed(a)).map(took));
  const slow = Math.max(slowAtLeastMs, beforeMs.p99 * slowFactor);
  const disturbed = after.filter((a) => isFailed(a) || took(a) > slow);
  return {
    attempts: after.length,
    failed: failed.length,
    failures: countBy(failed.map(failureOf)),
    longestOutageMs: longestOutage(attempts, window),
    allGoodAfterMs: sinceFault(
      window,
      failed.map((a) => a.endedAt),
      failed.map((a) => a.scheduledAt),
    ),
    steadyAfterMs: sinceFault(
      window,
      disturbed.map((a) => a.scheduledAt),
      disturbed.map((a) => a.scheduledAt),
    ),
    beforeMs,
    afterMs: spread(after.filter((a) => !isFailed(a)).map(took)),
  };
}

export function failureOf({ outcome }: Attempt): string {
  switch (outcome.is) {
    case 'timeout':
      return `timeout ${outcome.during}`;
    case 'http':
      return `HTTP ${outcome.status}`;
    case 'broken':
      return outcome.why;
    case 'ok':
    case 'refused':
    case 'unreachable':
    case 'reset':
    case 'closed':
      return outcome.is;
  }
}

export function isFailed({ outcome }: Attempt): boolean {
  return outcome.is !== 'ok';
}

function took(attempt: Attempt): number {
  return attempt.endedAt - attempt.scheduledAt;
}

function longestOutage(attempts: readonly Attempt[], window: Window): number {
  let longest = 0;
  let lastGood = window.beginAt;
  let failing = false;
  for (const attempt of attempts) {
    if (isFailed(attempt)) {
      if (attempt.endedAt >= window.injectAt) failing = true;
      continue;
    }
    if (failing) longest = Math.max(longest, attempt.scheduledAt - lastGood);
    failing = false;
    lastGood = attempt.scheduledAt;
  }
  if (failing) longest = Math.max(longest, window.endAt - lastGood);
  return round(longest);
}

function sinceFault(
  { faultAt, endAt }: Window,
  times: readonly number[],
  scheduled: readonly number[],
): number | 'never' {
  if (times.length === 0) return 0;
  const last = Math.max(...scheduled);
  if (last > endAt - settleMs) return 'never';
  return Math.max(0, round(Math.max(...times) - faultAt));
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
