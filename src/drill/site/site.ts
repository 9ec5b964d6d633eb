import type { DrillFault } from '../faults/fault.ts';
import type { DrillRecord } from '../history/record.ts';
import type { Predictable } from '../scenario/budget.ts';
import type { TrafficChannel } from '../traffic/channel.ts';
import type { TrafficConfig } from '../traffic/config.ts';

/**
 * The cluster that a drill runs on, whatever it is: a lab of either tier, or real nodes behind OpenSSH. Faults are what
 * this site can do; scenarios ask for them by name.
 */
export interface DrillSite extends AsyncDisposable {
  readonly name: string;
  readonly strategy: string;
  readonly masters: readonly string[];
  readonly workers: readonly string[];
  /** May prepare the cluster for them: a namespace and an account of their own. Not called by a dry run. */
  clients(): Promise<readonly DrillClient[]>;
  readonly faults: readonly DrillFault[];
  /** What budgets are reckoned from; absent where nothing is known of it. */
  readonly predictable?: Predictable | undefined;
  /** Where histories and what is in force are kept. */
  readonly directory: string;
  /** What the watches show: the lab's ticks, or what the operations write. */
  readonly watched: 'every' | 'acknowledged';
  /** What is wrong with it; empty when it is healthy. */
  problems(signal: AbortSignal): Promise<readonly string[]>;
  /** Looks at what traffic cannot see (who holds an address) until `signal` aborts; never throws. */
  sample?(onRecord: (record: DrillRecord) => void, signal: AbortSignal): Promise<void>;
}

/** A client class: where its traffic runs and where that goes. */
export interface DrillClient {
  readonly name: string;
  /** The node that it lives on, and dies with; absent for one outside. */
  readonly on?: string;
  readonly config: Omit<TrafficConfig, 'client' | 'connections' | 'kept' | 'watches' | 'operations'>;
  /** The collections that watches and operations use; absent where there is no permission for it. */
  readonly paths: { readonly health: string; readonly watch: string; readonly operate: string } | undefined;
  readonly channel: TrafficChannel;
}
