import type { HealthCheck } from '../balancer/behaviour.ts';

/**
 * The longest a balancer takes to eject a master that stops answering: it may have been checked just before, then each of
 * `fall` checks has to fail, and the last one fails only when its timeout is over. Products differ in whether the interval
 * runs during a timeout; this is the slower reading for a timeout that is shorter than the interval.
 */
export function detectionMs(check: HealthCheck): number {
  return check.intervalMs * check.fall + check.timeoutMs;
}
