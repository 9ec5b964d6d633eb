import type { Behaviour, HealthCheck } from './behaviour.ts';

/** The shortest and the longest time something can take, in milliseconds. */
export interface Span {
  readonly atLeast: number;
  readonly atMost: number;
}

type Numbers = Pick<HealthCheck, 'intervalMs' | 'timeoutMs' | 'rise' | 'fall'>;

/**
 * When the next check starts. `fixed-rate`: an interval after the last one started, which is what the bound of interval ×
 * threshold + timeout is about. `after-end`: an interval after the last one ended; haproxy does so, and then silence
 * costs the timeout once per check.
 */
export type Pacing = 'fixed-rate' | 'after-end';

export function pacingOf(behaviour: Behaviour): Pacing {
  return behaviour === 'proxy' ? 'after-end' : 'fixed-rate';
}

/**
 * How long a balancer goes on sending new connections to a backend that has failed.
 *
 * `refused`: the backend's kernel says no at once (crash), so each check fails when it is made. `silent`: nothing
 * answers (hang, lost link, power off), so each fails only after its timeout. A failure falls anywhere between two
 * checks: hence `fall - 1` intervals at least and `fall` at most.
 */
export function detection(check: Numbers, how: 'refused' | 'silent', pacing: Pacing = 'fixed-rate'): Span {
  const timeouts = how === 'refused' ? 0 : pacing === 'after-end' ? check.fall : 1;
  const wait = timeouts * check.timeoutMs;
  return { atLeast: (check.fall - 1) * check.intervalMs + wait, atMost: check.fall * check.intervalMs + wait };
}

/** How long a backend that answers again stays without new connections; `atMost` allows for a check that takes its whole timeout. */
export function readmission(check: Numbers): Span {
  return {
    atLeast: (check.rise - 1) * check.intervalMs,
    atMost: check.rise * check.intervalMs + check.timeoutMs,
  };
}

/** The longest of each, whatever the failure: interval × threshold + timeout at a fixed rate. */
export function worstCase(
  check: Numbers,
  pacing: Pacing = 'fixed-rate',
): { readonly ejectMs: number; readonly readmitMs: number } {
  return { ejectMs: detection(check, 'silent', pacing).atMost, readmitMs: readmission(check).atMost };
}
