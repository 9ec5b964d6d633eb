import type { DrillRecord, Operation, WatchEnded, WatchEvent, WatchOpened } from '../history/record.ts';
import type { Window } from './window.ts';

export interface WatchesJudged {
  readonly watchers: number;
  readonly events: number;
  /** Longest time from one event to the next of any watcher, from the fault on, in milliseconds. */
  readonly longestGapMs: number;
  /** Versions that a watcher should have seen and did not, as `watcher version`. */
  readonly missed: readonly string[];
  readonly duplicated: readonly string[];
  readonly disordered: readonly string[];
  /** Streams that were open when the fault came and how they fared. */
  readonly streams: readonly StreamJudged[];
}

export interface StreamJudged {
  readonly watcher: number;
  readonly server: string;
  /** How it ended, and how long after the fault; `alive` when it still gave events at the end, `stuck` when it did not. */
  readonly is: WatchEnded['how'] | 'alive' | 'stuck';
  readonly endedAfterMs: number | undefined;
}

/** What there was to be seen. `every`: each whole number is a version (the lab's ticks). `acknowledged`: those of the operations. */
export type WatchReference =
  | { readonly is: 'every' }
  | { readonly is: 'acknowledged'; readonly operations: readonly Operation[] };

/** A stream that is still open at the end and has said nothing for so long, is stuck; for streams that speak all the time. */
const stuckAfterMs = 3000;

/** Events that are still on their way when the traffic ends are nobody's loss. */
const graceMs = 1000;

/** All watchers of one client. */
export function judgeWatches(
  history: readonly DrillRecord[],
  client: string,
  window: Window,
  reference: WatchReference,
): WatchesJudged {
  const events = history.filter((r): r is WatchEvent => r.is === 'watch-event' && r.client === client);
  const opened = history.filter((r): r is WatchOpened => r.is === 'watch-opened' && r.client === client);
  const ended = history.filter((r): r is WatchEnded => r.is === 'watch-ended' && r.client === client);
  const watchers = [...new Set([...opened, ...events].map((r) => r.watcher))].toSorted((a, b) => a - b);
  const judged = watchers.map((watcher) =>
    judgeWatcher(
      watcher,
      events.filter((e) => e.watcher === watcher),
      opened.filter((o) => o.watcher === watcher),
      ended.filter((e) => e.watcher === watcher),
      window,
      reference,
    ),
  );
  return {
    watchers: watchers.length,
    events: events.length,
    longestGapMs: Math.max(0, ...judged.map((j) => j.longestGapMs)),
    missed: judged.flatMap((j) => j.missed),
    duplicated: judged.flatMap((j) => j.duplicated),
    disordered: judged.flatMap((j) => j.disordered),
    streams: judged.flatMap((j) => j.streams),
  };
}

function judgeWatcher(
  watcher: number,
  events: readonly WatchEvent[],
  opened: readonly WatchOpened[],
  ended: readonly WatchEnded[],
  window: Window,
  reference: WatchReference,
): Omit<WatchesJudged, 'watchers' | 'events'> {
  const named = (version: number) => `${watcher} ${version}`;
  // A stream that begins afresh (the first, or after `expired`) says how things are before it says what changes, and may
  // repeat what the one before it said.
  const fresh = new Set(opened.filter((o) => o.since === undefined).map((o) => o.stream));
  const seen = new Set<number>();
  const duplicated: string[] = [];
  const disordered: string[] = [];
  let highest = Number.NEGATIVE_INFINITY;
  let stream = -1;
  for (const event of events) {
    const beginsAfresh = event.stream !== stream && fresh.has(event.stream);
    stream = event.stream;
    if (beginsAfresh) highest = Math.min(highest, event.version - 1);
    if (seen.has(event.version) && !beginsAfresh) duplicated.push(named(event.version));
    else if (event.version < highest) disordered.push(named(event.version));
    seen.add(event.version);
    highest = Math.max(highest, event.version);
  }
  return {
    longestGapMs: longestGap(events, window),
    missed: missedOf(opened[0]?.since, events, seen, window, reference).map(named),
    duplicated,
    disordered,
    streams: streamsAtFault(watcher, opened, ended, events, window),
  };
}

function missedOf(
  since: number | undefined,
  events: readonly WatchEvent[],
  seen: ReadonlySet<number>,
  window: Window,
  reference: WatchReference,
): readonly number[] {
  // From what it was opened at; one that says so only with its first event is believed.
  const first = since === undefined ? events[0]?.version : since + 1;
  if (first === undefined || seen.size === 0) return [];
  if (reference.is === 'every') {
    const last = Math.max(...seen);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((version) => !seen.has(version));
  }
  return reference.operations
    .filter((o) => o.result === 'ok' && o.version !== undefined && o.endedAt < window.endAt - graceMs)
    .flatMap((o) => (o.version === undefined || o.version < first || seen.has(o.version) ? [] : [o.version]))
    .toSorted((a, b) => a - b);
}

/** Up to the end of the history: a watch that never comes back has the longest gap of all. */
function longestGap(events: readonly WatchEvent[], { faultAt, endAt }: Window): number {
  const times = events.map((e) => e.at).filter((at) => at <= endAt);
  const before = times.findLast((at) => at < faultAt) ?? faultAt;
  const row = [before, ...times.filter((at) => at >= faultAt), endAt];
  const gaps = row.slice(1).map((at, i) => at - (row[i] ?? at));
  return Math.round(Math.max(0, ...gaps) * 10) / 10;
}

function streamsAtFault(
  watcher: number,
  opened: readonly WatchOpened[],
  ended: readonly WatchEnded[],
  events: readonly WatchEvent[],
  { faultAt, endAt }: Window,
): readonly StreamJudged[] {
  const open = opened.findLast((o) => o.at <= faultAt);
  if (open === undefined) return [];
  // What comes after the end, a heal for instance, is not part of what is judged.
  const end = ended.find((e) => e.stream === open.stream && e.at <= endAt);
  if (end !== undefined && end.at < faultAt) return [];
  const about = { watcher, server: open.server };
  if (end !== undefined && end.how !== 'stopped') {
    return [{ ...about, is: end.how, endedAfterMs: Math.round((end.at - faultAt) * 10) / 10 }];
  }
  const last = events.findLast((e) => e.stream === open.stream && e.at <= endAt)?.at ?? open.at;
  return [{ ...about, is: endAt - last > stuckAfterMs ? 'stuck' : 'alive', endedAfterMs: undefined }];
}
