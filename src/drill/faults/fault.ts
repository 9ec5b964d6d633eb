/**
 * One thing that can go wrong with a cluster, as a drill does it. It heals by name: `heal` needs nothing that `inject`
 * gave, does no harm where nothing is broken, and may be called by another process, so that a drill that was killed at
 * any moment leaves nothing that the next command cannot put right.
 */
export interface DrillFault {
  readonly name: string;
  readonly summary: string;
  readonly aimedAt: 'master' | 'worker' | 'node' | 'balancer' | 'cluster';
  /** Members of etcd that are away while it is in force. */
  readonly takesMembers: 'none' | 'one' | 'all';
  /** Clients on nodes that it takes away end with them: those of the target, or of all masters. */
  readonly takesNodes?: 'target' | 'masters';
  /** What would be done, one line each, for `--dry-run`. */
  would(target: string): readonly string[];
  inject(target: string, signal: AbortSignal): Promise<void>;
  /** What goes on while it is in force; the drill waits for it as well as for its time. */
  goOn?(target: string, signal: AbortSignal): Promise<void>;
  heal(target: string): Promise<void>;
}

/** A fault in force, as its file says it. Written before anything is broken. */
export interface InForce {
  readonly run: string;
  readonly fault: string;
  readonly target: string;
  readonly since: string;
}
