import type { Budget, ClientBudget } from '../judge/budget.ts';

/** Fault × traffic × budget, as data. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** Faults by name; all but the first come `secondAfterMs` after the one before, while that is still in force. */
  readonly faults: readonly [string, ...string[]];
  /** Which node it is done to when nobody says: the first master, the last one, a worker. */
  readonly target: 'first-master' | 'last-master' | 'worker' | 'balancer' | 'cluster';
  /** Of the faults after the first, where it is another. */
  readonly others?: readonly Scenario['target'][];
  readonly forMs: number;
  readonly secondAfterMs?: number;
  readonly budget: Budget;
}

/** What a client may lose; a strategy that steers promises more than one that waits for the balancer. */
export function everyClient(budget: ClientBudget): Budget {
  return { clients: { '*': budget }, doubleVipMs: 0 };
}
