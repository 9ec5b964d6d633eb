import type { BackendState } from './backend.ts';

export interface Candidate {
  readonly name: string;
  readonly state: BackendState;
  /** This node's own apiserver. */
  readonly self: boolean;
  /** Not silent for three seconds: what is suspect and alive is late, and not gone. */
  readonly alive: boolean;
}

/** Who takes new connections, best first. Each rung is used only while the ones above it are empty. */
const rungs: readonly ((candidate: Candidate) => boolean)[] = [
  ({ state }) => state === 'ready',
  // Lost etcd quorum makes every /readyz fail, and that must not throw everybody off.
  ({ state }) => state === 'unready',
  // All late at once is trouble of this node (its processor, its network) more often than of all the others, and the
  // balancer would send to the same ones, a master's connections back to itself among them.
  ({ state, alive }) => state === 'suspect' && alive,
];

/**
 * Whom new connections go to; an empty list leaves them to the balancer. Among equals a master takes itself alone: no
 * hop, and no other node's trouble.
 */
export function chooseBackends(candidates: readonly Candidate[]): readonly string[] {
  const rung = rungs.find((fits) => candidates.some(fits));
  if (rung === undefined) return [];
  const found = candidates.filter(rung);
  const own = found.find((candidate) => candidate.self);
  return own === undefined ? found.map((candidate) => candidate.name) : [own.name];
}

/**
 * Whether a refused connection is worth holding: some backend other than the one that refuses can take the retry.
 * With nobody left clients get the truth at once. One that is late still takes a retry, so suspicion that comes and goes
 * changes nothing here.
 */
export function holdsRefusals(candidates: readonly Candidate[]): boolean {
  return candidates.filter(({ state, alive }) => state === 'ready' || (state === 'suspect' && alive)).length >= 2;
}
