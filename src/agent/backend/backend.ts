import { patience, type Rtt, sampleRtt } from './rtt.ts';

/**
 * What the agent thinks of one apiserver.
 *
 * | state    | means                                                        | new connections        | its flows          |
 * |----------|--------------------------------------------------------------|------------------------|--------------------|
 * | unknown  | has not answered since it was added                          | none                   | left alone         |
 * | ready    | answers, and /readyz says yes                                | yes                    | live               |
 * | unready  | answers, and /readyz says no                                 | when nobody is ready   | live               |
 * | suspect  | one answer is overdue                                        | when all are late      | left alone         |
 * | failed   | refused after an end of stream, or silent while others speak | none                   | destroyed, once    |
 * | draining | somebody asked for it                                        | none                   | live on            |
 *
 * Suspicion costs nothing, so it comes within a few round trips; death destroys flows, so it wants proof. The way back
 * is slower than the way out: a backend that was suspect must answer in time `calmAnswers` times in a row, twice that
 * for each suspicion of the last minute, and one that was failed or unready must be ready `readyAgain` times in a row.
 */
export type BackendState = 'unknown' | 'ready' | 'unready' | 'suspect' | 'failed' | 'draining';

/** Silence that kills, while another backend answers (design.md). */
export const deadAfterMs = 3000;
/** Timely answers in a row that end a first suspicion: 300 ms at one PING each 100 ms. */
export const calmAnswers = 3;
/** Suspicions older than this no longer lengthen the way back. */
export const suspicionMemoryMs = 60_000;
/** The way back is never longer than this many answers: 4.8 s at one PING each 100 ms. */
const mostCalmAnswers = 48;
/** Four timely answers of a prober that asks each 5 s are enough for any way back: 20 s and not four minutes. */
const mostWorth = mostCalmAnswers / 4;
/** /readyz answers in a row that bring back a backend that was failed or unready. */
export const readyAgain = 2;

/** Values of one backend; times are monotonic milliseconds. Never changed in place. */
export interface Backend {
  readonly state: BackendState;
  readonly since: number;
  /** The oldest question (PING or redial) without an answer. */
  readonly askedAt: number | undefined;
  /** The last sign of life, or the last time that silence stopped counting against it. */
  readonly heardAt: number;
  /** The last answer that there really was; and since when the question after it waits. No pause of our own forgives these. */
  readonly answeredAt: number;
  readonly waitingSince: number | undefined;
  readonly rtt: Rtt | undefined;
  /** The last /readyz; `undefined` before the first. */
  readonly ready: boolean | undefined;
  /** /readyz answers of the same kind in a row. */
  readonly streak: number;
  /** The kept connection ended and no redial has succeeded yet. */
  readonly ended: boolean;
  /** Timely answers still wanted before the backend is trusted again. */
  readonly wanted: number;
  /** When it became suspect, most recent last. */
  readonly suspicions: readonly number[];
  /** `readyAgain` applies: it has been failed or unready since it was last ready. */
  readonly probation: boolean;
  readonly drained: boolean;
}

/** What was seen. `at` never goes back. */
export type Evidence =
  /** A PING was sent, or a redial began. */
  | { readonly is: 'asked'; readonly at: number }
  /** A PING came back or a handshake ended; `rttMs` where it says something about the way and the other side. */
  | { readonly is: 'answered'; readonly at: number; readonly rttMs: number | undefined }
  | { readonly is: 'readyz'; readonly at: number; readonly ok: boolean }
  /** /readyz itself did not answer in time although the connection may be alive: not ready, and no sign of life. */
  | { readonly is: 'readyz-overdue'; readonly at: number }
  /** End of stream, reset or GOAWAY: a redial follows, and only that gives a verdict. */
  | { readonly is: 'ended'; readonly at: number }
  /** A dial was refused. */
  | { readonly is: 'refused'; readonly at: number }
  /** Time has passed; `othersHeardAt` is the last sign of life of any other backend. */
  | { readonly is: 'tick'; readonly at: number; readonly othersHeardAt: number }
  /** The prober itself was late: what it would have heard meanwhile is unknown, so silence starts anew. */
  | { readonly is: 'lagged'; readonly at: number }
  | { readonly is: 'drain'; readonly at: number; readonly on: boolean };

export interface Outcome {
  readonly backend: Backend;
  /** True exactly once per death: the flows of this backend are to be destroyed. */
  readonly destroyFlows: boolean;
}

export function newBackend(at: number): Backend {
  return {
    state: 'unknown',
    since: at,
    askedAt: undefined,
    heardAt: at,
    answeredAt: at,
    waitingSince: undefined,
    rtt: undefined,
    ready: undefined,
    streak: 0,
    ended: false,
    wanted: 0,
    suspicions: [],
    probation: false,
    drained: false,
  };
}

/** The state machine: one backend and one piece of evidence give the next backend. Pure. */
export function observe(before: Backend, seen: Evidence): Outcome {
  const after = settle(take(before, seen), seen);
  const changed = after.state !== before.state;
  const backend = changed ? { ...after, since: seen.at } : after;
  return { backend, destroyFlows: changed && backend.state === 'failed' };
}

/** Writes the evidence down without judging it. */
function take(b: Backend, seen: Evidence): Backend {
  switch (seen.is) {
    case 'asked':
      return { ...b, askedAt: b.askedAt ?? seen.at, waitingSince: b.waitingSince ?? seen.at };
    case 'answered':
      return {
        ...b,
        askedAt: undefined,
        heardAt: seen.at,
        answeredAt: seen.at,
        waitingSince: undefined,
        ended: false,
        rtt: seen.rttMs === undefined ? b.rtt : sampleRtt(b.rtt, seen.rttMs),
        wanted: isOverdue(b, seen.at) ? b.wanted : Math.max(0, b.wanted - worth(b)),
      };
    case 'readyz':
      return {
        ...b,
        heardAt: seen.at,
        answeredAt: seen.at,
        waitingSince: b.waitingSince === undefined ? undefined : seen.at,
        ready: seen.ok,
        streak: seen.ok === b.ready ? b.streak + 1 : 1,
      };
    case 'readyz-overdue':
      // Of one that has not answered nothing new is known.
      if (b.state === 'unknown' || b.state === 'failed') return b;
      return { ...b, ready: false, streak: b.ready === false ? b.streak + 1 : 1 };
    case 'ended':
      return { ...b, ended: true, askedAt: seen.at, waitingSince: b.waitingSince ?? seen.at };
    case 'lagged':
      return { ...b, askedAt: b.askedAt === undefined ? undefined : seen.at, heardAt: seen.at };
    case 'drain':
      return { ...b, drained: seen.on };
    case 'refused':
    case 'tick':
      return b;
  }
}

/** Judges. `b` has the evidence already. */
function settle(b: Backend, seen: Evidence): Backend {
  if (isDead(b, seen)) return { ...b, state: 'failed', probation: true, wanted: 0, streak: 0, ready: undefined };
  if (b.state === 'unknown' || b.state === 'failed') return comesUp(b, seen);
  if (b.state !== 'suspect' && isOverdue(b, seen.at)) return suspect(b, seen.at);
  if (b.state === 'suspect' && (b.askedAt !== undefined || b.wanted > 0)) return b;
  return { ...b, ...standing(b) };
}

function isDead(b: Backend, seen: Evidence): boolean {
  if (b.state === 'failed' || b.state === 'unknown') return false;
  if (seen.is === 'refused') return b.ended;
  if (seen.is !== 'tick') return false;
  if (b.askedAt === undefined) return false;
  // Nobody is silent who was not asked: a worker asks seldom.
  const silentSince = Math.max(b.askedAt, b.heardAt);
  // Others must have spoken after this one fell silent: when nobody speaks, the trouble is on our side.
  return seen.at - silentSince >= deadAfterMs && seen.othersHeardAt > silentSince + deadAfterMs / 2;
}

function isOverdue(b: Backend, at: number): boolean {
  return b.askedAt !== undefined && at - b.askedAt > patience(b.rtt);
}

/** What a timely answer counts for on the way back: what a prober with a PING each 100 ms would have heard since the last. */
function worth(b: Backend): number {
  if (b.askedAt === undefined) return 1;
  return Math.min(mostWorth, Math.max(1, Math.floor((b.askedAt - b.heardAt) / 100)));
}

function suspect(b: Backend, at: number): Backend {
  const recent = b.suspicions.filter((when) => at - when < suspicionMemoryMs);
  const wanted = Math.min(mostCalmAnswers, calmAnswers * 2 ** recent.length);
  return { ...b, state: 'suspect', wanted, suspicions: [...recent, at].slice(-8) };
}

/** Only an answer brings back what was unknown or failed: /readyz over a live connection with nothing overdue. */
function comesUp(b: Backend, seen: Evidence): Backend {
  if (seen.is !== 'readyz' && seen.is !== 'answered') return b;
  return b.ready === undefined || b.ended || isOverdue(b, seen.at) ? b : { ...b, ...standing(b) };
}

/** Where a backend that answers in time stands. */
function standing(b: Backend): Pick<Backend, 'state' | 'probation'> {
  if (b.drained) return { state: 'draining', probation: b.probation };
  if (b.ready === undefined) return { state: b.state, probation: b.probation };
  if (!b.ready) return { state: 'unready', probation: true };
  const trusted = !b.probation || b.streak >= readyAgain;
  return trusted ? { state: 'ready', probation: false } : { state: 'unready', probation: true };
}
