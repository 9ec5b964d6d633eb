import { beatMs } from '../beat.ts';
import { type Backend, type BackendState, deadAfterMs, type Evidence, newBackend, observe } from './backend.ts';
import { chooseBackends, holdsRefusals } from './choose.ts';
import { patience } from './rtt.ts';

/** All apiservers that this node knows of. */
export interface Fleet {
  readonly members: ReadonlyMap<string, Member>;
  readonly tickedAt: number;
}

export interface Member {
  readonly self: boolean;
  readonly backend: Backend;
}

/** Whom to steer to, and whether refusals are held meanwhile. Equal decisions have equal texts as JSON. */
export interface Decision {
  readonly backends: readonly string[];
  readonly hold: boolean;
}

export interface Change {
  readonly name: string;
  readonly from: BackendState;
  readonly to: BackendState;
  /** Its flows are to be destroyed now. */
  readonly destroyFlows: boolean;
}

export interface FleetOutcome {
  readonly fleet: Fleet;
  readonly changes: readonly Change[];
}

/** Ticks come this often; one that is later than `lagMs` after the time it was due says that the prober itself was held up. */
export const tickMs = beatMs;
export const lagMs = 100;

export function newFleet(members: readonly { readonly name: string; readonly self: boolean }[], at: number): Fleet {
  return { members: new Map(members.map(({ name, self }) => [name, { self, backend: newBackend(at) }])), tickedAt: at };
}

/** Adds and removes members; those that stay keep what is known of them. */
export function withMembers(
  fleet: Fleet,
  members: readonly { readonly name: string; readonly self: boolean }[],
  at: number,
): Fleet {
  return {
    ...fleet,
    members: new Map(
      members.map(({ name, self }) => [name, { self, backend: fleet.members.get(name)?.backend ?? newBackend(at) }]),
    ),
  };
}

/** Evidence about one member; about one that is not there (any more) it changes nothing. */
export function observeMember(fleet: Fleet, name: string, seen: Evidence): FleetOutcome {
  const member = fleet.members.get(name);
  if (member === undefined) return { fleet, changes: [] };
  const { backend, destroyFlows } = observe(member.backend, seen);
  const next: Fleet = { ...fleet, members: new Map(fleet.members).set(name, { ...member, backend }) };
  if (backend.state === member.backend.state) return { fleet: next, changes: [] };
  const change = {
    name,
    from: member.backend.state,
    to: backend.state,
    destroyFlows: destroyFlows && someoneLives(next),
  };
  return { fleet: next, changes: [change] };
}

/** Time has passed: every member is judged anew, or, when this tick is late, forgiven. */
export function tick(fleet: Fleet, at: number): FleetOutcome {
  const lagged = at - fleet.tickedAt > tickMs + lagMs;
  // Nearly always. A tick comes ten times a second.
  if (!lagged && isCalm(fleet, at)) return { fleet: { members: fleet.members, tickedAt: at }, changes: [] };
  let outcome: FleetOutcome = { fleet: { ...fleet, tickedAt: at }, changes: [] };
  for (const name of fleet.members.keys()) {
    const seen: Evidence = lagged
      ? { is: 'lagged', at }
      : { is: 'tick', at, othersHeardAt: othersHeardAt(outcome.fleet, name) };
    const next = observeMember(outcome.fleet, name, seen);
    outcome = { fleet: next.fleet, changes: [...outcome.changes, ...next.changes] };
  }
  return outcome;
}

/** Nobody is judged differently only because it is later: nobody is suspect, and nothing is overdue. */
export function isCalm(fleet: Fleet, at: number): boolean {
  for (const { backend } of fleet.members.values()) if (backend.state === 'suspect') return false;
  return at <= (overdueAt(fleet) ?? Number.POSITIVE_INFINITY);
}

/**
 * When the first of those answers is overdue that somebody waits for; ticks alone would see that up to `tickMs` later.
 * `undefined`: nobody waits, or only for those who are known to be late.
 */
export function overdueAt(fleet: Fleet): number | undefined {
  let first: number | undefined;
  for (const { backend } of fleet.members.values()) {
    const { state, askedAt, rtt } = backend;
    if (askedAt === undefined || state === 'unknown' || state === 'failed' || state === 'suspect') continue;
    const at = askedAt + Math.min(patience(rtt), deadAfterMs / 2);
    if (first === undefined || at < first) first = at;
  }
  return first;
}

/** To be asked after each tick too: a silence that grows changes it without a change of state. */
export function decide(fleet: Fleet): Decision {
  // A drained one that is late is still a drained one.
  const willing = [...fleet.members].filter(([, { backend }]) => !backend.drained);
  const candidates = willing.map(([name, { self, backend }]) => {
    const silentSince = Math.max(backend.heardAt, backend.askedAt ?? Number.NEGATIVE_INFINITY);
    const alive = fleet.tickedAt - silentSince < deadAfterMs && !isOutlasted(fleet, name, backend);
    return { name, self, state: backend.state, alive };
  });
  return { backends: chooseBackends(candidates), hold: holdsRefusals(candidates) };
}

/**
 * It would be dead but for our own pauses, which its flows are forgiven for: on a node that is short of processor time the
 * three seconds begin anew again and again. New connections cost nothing elsewhere, so they are not sent to it.
 */
function isOutlasted(fleet: Fleet, name: string, { waitingSince }: Backend): boolean {
  if (waitingSince === undefined || fleet.tickedAt - waitingSince < deadAfterMs) return false;
  return [...fleet.members].some(
    ([other, { backend }]) => other !== name && backend.answeredAt > waitingSince + deadAfterMs / 2,
  );
}

function othersHeardAt(fleet: Fleet, name: string): number {
  const heard = [...fleet.members]
    .filter(([other]) => other !== name)
    .map(([, { backend }]) => (backend.state === 'unknown' ? Number.NEGATIVE_INFINITY : backend.heardAt));
  return Math.max(Number.NEGATIVE_INFINITY, ...heard);
}

/** When all look dead none is reset: the trouble is more likely here than everywhere else. */
function someoneLives(fleet: Fleet): boolean {
  return [...fleet.members.values()].some(({ backend }) => backend.state !== 'failed' && backend.state !== 'unknown');
}
