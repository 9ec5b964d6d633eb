import type { BalancerState } from './tables.ts';

export interface Usage {
  readonly connections: number;
  readonly flows: number;
}

/** What carries connections: nftables rules, or haproxy. The daemon decides, an engine does. */
export interface Engine {
  /** Puts everything in place; may be called over what an earlier daemon left. */
  start(state: BalancerState): Promise<void>;
  /** Makes `state` so. Established flows are not touched. */
  apply(state: BalancerState): Promise<void>;
  /** Resets the established flows of a backend: clients get a RST with their next packet at the latest. */
  resetFlows(backend: string): Promise<void>;
  usage(): Promise<ReadonlyMap<string, Usage>>;
  stop(): Promise<void>;
}
