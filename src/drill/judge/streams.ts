import type { DrillRecord, StreamLine, WatchEnded } from '../history/record.ts';
import type { Window } from './window.ts';

/** A pod's log that was followed. */
export interface StreamsJudged {
  readonly ticks: number;
  /** Longest time without a line from the fault on, up to the end of the history, in milliseconds. */
  readonly longestGapMs: number;
  /** The stream that was open when the fault came: `alive` when it was never ended. */
  readonly atFault:
    | { readonly server: string | undefined; readonly is: WatchEnded['how'] | 'alive'; readonly endedAfterMs?: number }
    | undefined;
  /** How often it had to be opened again, from the fault on. */
  readonly reopened: number;
}

export function judgeStreams(
  history: readonly DrillRecord[],
  client: string,
  { faultAt, endAt }: Window,
): StreamsJudged | undefined {
  const lines = history.filter((r): r is StreamLine => r.is === 'stream' && r.client === client);
  if (lines.length === 0) return undefined;
  const ticks = lines.filter(({ what }) => what === 'tick');
  const times = ticks.map(({ at }) => at).filter((at) => at <= endAt);
  const row = [times.findLast((at) => at < faultAt) ?? faultAt, ...times.filter((at) => at >= faultAt), endAt];
  const gaps = row.slice(1).map((at, i) => at - (row[i] ?? at));
  const opened = lines.filter(({ what }) => what === 'opened');
  return {
    ticks: ticks.length,
    longestGapMs: round(Math.max(0, ...gaps)),
    atFault: atFault(opened, lines, faultAt),
    reopened: opened.filter(({ at, stream }) => at > faultAt && stream > 0).length,
  };
}

function atFault(
  opened: readonly StreamLine[],
  lines: readonly StreamLine[],
  faultAt: number,
): StreamsJudged['atFault'] {
  const open = opened.findLast(({ at }) => at <= faultAt);
  if (open === undefined) return undefined;
  const end = lines.find(({ what, stream }) => what === 'ended' && stream === open.stream);
  if (end !== undefined && end.at < faultAt) return undefined;
  const { server } = open;
  if (end?.how === undefined || end.how === 'stopped') return { server, is: 'alive' };
  return { server, is: end.how, endedAfterMs: round(end.at - faultAt) };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
