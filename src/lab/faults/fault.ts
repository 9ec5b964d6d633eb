import type { LabContext, Tier } from '../tier/tier.ts';

/**
 * One thing that can go wrong in a lab. A fault outlives the command that injects it, so `inject` gives what heals it as
 * plain data, which is kept in the lab's directory until `heal` is called with it, maybe by another process.
 */
export interface LabFault {
  readonly name: string;
  /** What happens, in a few words: `lab break --help` lists them. */
  readonly summary: string;
  readonly target: FaultTarget;
  /** Names of the options that `lab break` takes for it; a required one has no default. */
  readonly options?: readonly FaultOption[];
  /** Why it cannot be done to this target, `undefined` when it can. */
  unavailable?(cx: FaultContext): string | undefined;
  inject(cx: FaultContext): Promise<FaultUndo>;
  heal(cx: FaultContext, undo: FaultUndo): Promise<void>;
}

/** `node` is a master, a worker or an outside client; `balancer` has no machine to be named. */
export type FaultTarget = 'node' | 'process' | 'balancer';

export interface FaultOption {
  readonly name: string;
  readonly summary: string;
  readonly fallback?: string;
}

export type FaultUndo = Readonly<Record<string, unknown>>;

export interface FaultContext {
  readonly lab: LabContext;
  readonly tier: Tier;
  /** The machine's name; `balancer` for the balancer. */
  readonly target: string;
  /** The process that is meant, for target `process`. */
  readonly process: string | undefined;
  readonly options: Readonly<Record<string, string>>;
}

/** A fault in force, as its file in the lab's directory holds it. */
export interface FaultRecord {
  readonly fault: string;
  readonly target: string;
  readonly process: string | undefined;
  readonly options: Readonly<Record<string, string>>;
  readonly since: string;
  readonly undo: FaultUndo;
}
