/** What a drill may cost. What is left out is reported and not judged. Times in milliseconds. */
export interface Budget {
  /** Of each client class, `*` for those that are not named. */
  readonly clients: Readonly<Record<string, ClientBudget>>;
  /** Two nodes holding a virtual address at once. */
  readonly doubleVipMs?: number;
  /** How often all nodes together may be seen to become not ready. */
  readonly notReady?: number;
  /** How often leases and etcd may change hands, all together. */
  readonly elections?: number;
}

export interface ClientBudget {
  readonly failed?: number;
  readonly outageMs?: number;
  readonly allGoodAfterMs?: number;
  readonly steadyAfterMs?: number;
  readonly watchGapMs?: number;
  /** Streams that neither give events nor end. */
  readonly stuck?: number;
}

export function budgetOf(budget: Budget, client: string): ClientBudget {
  return budget.clients[client] ?? budget.clients['*'] ?? {};
}
