import type { BackendState } from './backend.ts';

export interface Candidate {
  readonly name: string;
  readonly state: BackendState;
  /** This node's own apiserver. */
  readonly self: boolean;
}

/**
 * Whom new connections go to, best first; an empty list leaves them to the balancer.
 *
 * Ready backends before those that are alive but not ready: lost etcd quorum makes every /readyz fail, and that must not
 * throw everybody off. Among the ready ones a master takes itself alone: no hop, and no other node's trouble.
 */
export function chooseBackends(candidates: readonly Candidate[]): readonly string[] {
  for (const wanted of ['ready', 'unready'] as const) {
    const found = candidates.filter((candidate) => candidate.state === wanted);
    const own = found.find((candidate) => candidate.self);
    if (own !== undefined) return [own.name];
    if (found.length > 0) return found.map((candidate) => candidate.name);
  }
  return [];
}

/**
 * Whether a refused connection is worth holding: some backend other than the one that refuses can take the retry.
 * With nobody left clients get the truth at once.
 */
export function holdsRefusals(candidates: readonly Candidate[]): boolean {
  return candidates.filter((candidate) => candidate.state === 'ready').length >= 2;
}
