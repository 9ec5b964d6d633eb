import type { BackendState } from '../backend/backend.ts';
import type { SteererRequest } from '../steerer/protocol.ts';

/**
 * What the prober wants of the steerer, what is in force as far as it knows, and the one next thing to ask. Pure.
 *
 * Nothing is queued: a transition that was overtaken by another is never sent, and after any break the difference
 * between wanted and in force says by itself what has to be done again.
 */
export interface Wanted {
  /** Addresses of the endpoint; none: not known yet. */
  readonly endpoints: readonly string[];
  /**
   * `undefined` while the agent has just started and nobody had time to answer: what an earlier agent put in force stays
   * until there is something to say, so that an upgrade drops nothing. It lapses by itself meanwhile.
   */
  readonly target: Target | undefined;
  /** Backends that do not answer (`awayFrom`): connections that wait for them start over with the next transition. */
  readonly away: readonly string[];
}

/** Where new connections go; none: to the balancer. */
export interface Target {
  /** Canonical addresses, sorted. */
  readonly backends: readonly string[];
  readonly hold: boolean;
}

export interface InForce {
  /** The endpoints of the last `ensure` that was answered; `undefined`: the table has to be made or looked at again. */
  readonly ensured: readonly string[] | undefined;
  /** `undefined`: not known, as after a break or when the table was made anew. */
  readonly target: Target | undefined;
  readonly epoch: number | undefined;
  readonly holdWorks: boolean;
  /** Endpoints that the steerer took. */
  readonly endpoints: readonly string[];
}

export const nothingInForce: InForce = {
  ensured: undefined,
  target: undefined,
  epoch: undefined,
  holdWorks: false,
  endpoints: [],
};

export type Steer = Extract<SteererRequest, { op: 'steer' }>;
type Transition = Extract<SteererRequest, { op: 'ensure' }> | Steer;

/** The next thing to ask, most urgent first; `undefined` when all is as wanted. */
export function nextTransition(wanted: Wanted, inForce: InForce): Transition | undefined {
  if (wanted.endpoints.length === 0) return undefined;
  if (inForce.ensured === undefined) return { op: 'ensure', endpoints: [...wanted.endpoints] };
  const target = effective(wanted.target, inForce);
  // While nothing is steered nothing is renewed, so nobody has noticed whether the table is still there.
  if (target !== undefined && target.backends.length > 0 && inForce.target?.backends.length === 0) {
    return { op: 'ensure', endpoints: [...wanted.endpoints] };
  }
  // A changed target is a backend in trouble; a changed set of endpoints can wait for it.
  if (target !== undefined && !sameTarget(target, inForce.target)) {
    const away = wanted.away.filter((backend) => !target.backends.includes(backend));
    return { op: 'steer', backends: [...target.backends], hold: target.hold, away };
  }
  if (!sameList(inForce.ensured, wanted.endpoints)) return { op: 'ensure', endpoints: [...wanted.endpoints] };
  return undefined;
}

/** On a kernel where a held refusal is not answered by another backend, nothing is held. */
function effective(target: Target | undefined, inForce: InForce): Target | undefined {
  return target === undefined ? undefined : { ...target, hold: target.hold && inForce.holdWorks };
}

/** After an `ensure` the target is always said again: a table of a family that is new is empty. */
export function afterEnsure(
  asked: readonly string[],
  answer: { readonly endpoints: readonly string[]; readonly epoch: number; readonly holdWorks: boolean },
): InForce {
  return {
    ensured: asked,
    target: undefined,
    epoch: answer.epoch,
    holdWorks: answer.holdWorks,
    endpoints: answer.endpoints,
  };
}

/** The connection to the steerer broke, or the table is gone: everything is said again. */
export function forgotten(before: InForce): InForce {
  return { ...before, ensured: undefined, target: undefined };
}

/**
 * Whether the table may be kept alive for another three seconds. `current` is what is steered to as far as the prober
 * knows, which is not what it wants while the steerer is away.
 *
 * - Nothing is steered: no. There is nothing to keep, and a prober that dies now leaves nothing behind. The table is
 *   looked at again (`ensure`) before the next target.
 * - Something is steered, and every backend of it is ready or wanted: yes, even if something better is wanted.
 * - Something is steered, and the balancer is wanted: no.
 * - Something is steered to a backend that is neither, and the steerer does not take the correction: no. The kernel
 *   then sends new connections to the balancer, which is never worse than having no agent.
 */
export function mayRenew(
  current: Target | undefined,
  wanted: Target | undefined,
  stateOf: (address: string) => BackendState | undefined,
): boolean {
  if (current === undefined || current.backends.length === 0) return false;
  if (wanted === undefined || wanted.backends.length === 0) return false;
  return current.backends.every((backend) => wanted.backends.includes(backend) || stateOf(backend) === 'ready');
}

/**
 * Of all backends that a connection may wait for, those that do not answer: late, dead, not heard yet, or of a member that
 * has gone. One that is not ready or drained answers, and what is half open to it is about to be served.
 */
export function awayFrom(
  current: Target | undefined,
  known: readonly string[],
  stateOf: (address: string) => BackendState | undefined,
): readonly string[] {
  return [...new Set([...(current?.backends ?? []), ...known])]
    .filter((address) => ['suspect', 'failed', 'unknown'].includes(stateOf(address) ?? 'unknown'))
    .toSorted();
}

export function sameTarget(a: Target | undefined, b: Target | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.hold === b.hold && sameList(a.backends, b.backends);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
