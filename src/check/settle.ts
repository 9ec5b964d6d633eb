import { setTimeout as sleep } from 'node:timers/promises';
import type { Spec } from '../spec/spec.ts';
import { detectionMs } from '../spec/timing.ts';
import { type Check, type CheckContext, type CheckResult, runChecks } from './check.ts';

/** How often what is not ok is asked, the first time included. */
const asks = 3;

/**
 * For a cluster that was changed a moment ago: what is not ok is asked again after the time in which a balancer or a proxy
 * takes in what has just started. A verdict that changes says what was seen first, so nothing is hidden.
 */
export async function runChecksOnceSettled(
  checks: readonly Check[],
  cx: CheckContext,
  opts: { readonly pauseMs: number; readonly onResult?: (result: CheckResult) => void },
): Promise<readonly CheckResult[]> {
  let results = await runChecks(checks, cx, opts.onResult);
  for (let ask = 2; ask <= asks; ask += 1) {
    const bad = results.filter(({ verdict }) => verdict.is === 'not-ok').map(({ name }) => name);
    const again = checks.filter((check) => check.fromFacts !== true && bad.includes(check.name));
    if (again.length === 0) break;
    await sleep(opts.pauseMs, undefined, { signal: cx.signal });
    const asked = new Map((await runChecks(again, cx)).map((result) => [result.name, result]));
    results = results.map((before) => withFirst(asked.get(before.name) ?? before, before));
  }
  return results;
}

/** How long health checks take to find a master, and as long again to let go of one: at least 5 s, at most 30 s. */
export function settlePauseMs(spec: Spec): number {
  const check = spec.balancer?.healthCheck;
  const ms = check === undefined ? 0 : check.rise * check.intervalMs + detectionMs(check);
  return Math.min(30_000, Math.max(5_000, ms));
}

function withFirst(now: CheckResult, before: CheckResult): CheckResult {
  if (now.verdict.is !== 'ok' || before.verdict.is !== 'not-ok') return now;
  return { ...now, verdict: { is: 'ok', saw: `${now.verdict.saw}; at first: ${before.verdict.saw}` } };
}
