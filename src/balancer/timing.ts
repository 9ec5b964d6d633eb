import type { HealthCheck } from './behaviour.ts';

/** The shortest and the longest time something can take, in milliseconds. */
export interface Span {
  readonly atLeast: number;
  readonly atMost: number;
}

type Numbers = Pick<HealthCheck, 'intervalMs' | 'timeoutMs' | 'rise' | 'fall'>;

/**
 * How long a balancer goes on sending new connections to a backend that has failed.
 *
 * `refused`: the backend's kernel says no at once (crash), so each check fails when it is made. `silent`: nothing
 * answers (hang, lost link, power off), so each fails only after its timeout. A failure falls anywhere between two
 * checks: hence `fall - 1` intervals at least and `fall` at most.
 */
export function detection(check: Numbers, how: 'refused' | 'silent'): Span {
  const wait = how === 'refused' ? 0 : check.timeoutMs;
  return { atLeast: (check.fall - 1) * check.intervalMs + wait, atMost: check.fall * check.intervalMs + wait };
}

/** How long a backend that answers again stays without new connections; `atMost` allows for a check that takes its whole timeout. */
export function readmission(check: Numbers): Span {
  return {
    atLeast: (check.rise - 1) * check.intervalMs,
    atMost: check.rise * check.intervalMs + check.timeoutMs,
  };
}

/** The promise that holds for every kind of failure: interval × threshold + timeout. */
export function worstCase(check: Numbers): { readonly ejectMs: number; readonly readmitMs: number } {
  return { ejectMs: detection(check, 'silent').atMost, readmitMs: readmission(check).atMost };
}
