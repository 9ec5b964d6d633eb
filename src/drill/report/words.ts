import type { FlapsJudged } from '../judge/cluster-events.ts';
import type { ClientJudged, OperationsJudged, Verdict } from '../judge/judge.ts';

export function timeInWords(ms: number | 'never'): string {
  if (ms === 'never') return 'never';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** `out 610 ms, 3 of 250 failed, all good after 1.2 s`. */
export function connectionsInWords({ connections }: ClientJudged): string {
  if (connections === undefined) return '–';
  const { failed, attempts, longestOutageMs, allGoodAfterMs, steadyAfterMs, afterMs } = connections;
  if (failed > 0) {
    return `out ${timeInWords(longestOutageMs)}, ${failed} of ${attempts} failed, all good after ${timeInWords(allGoodAfterMs)}`;
  }
  if (steadyAfterMs !== 0) return `none of ${attempts} failed, slowest ${timeInWords(afterMs.max)}`;
  return `none of ${attempts} failed`;
}

export function watchesInWords({ watches }: ClientJudged): string {
  if (watches === undefined) return '–';
  const ended = watches.streams.flatMap((s) => (s.endedAfterMs === undefined ? [] : [s.endedAfterMs]));
  const stuck = watches.streams.filter((s) => s.is === 'stuck').length;
  return [
    `gap ${timeInWords(watches.longestGapMs)}`,
    ...(ended.length === 0 ? [] : [`${ended.length} reset ≤ ${timeInWords(Math.max(...ended))}`]),
    ...(stuck === 0 ? [] : [`${stuck} stuck`]),
    ...(watches.missed.length === 0 ? [] : [`${watches.missed.length} missed`]),
    ...(watches.duplicated.length === 0 ? [] : [`${watches.duplicated.length} twice`]),
  ].join(', ');
}

/** Of clients that keep connections or follow a log; `undefined` where none does. */
export function keptInWords(clients: readonly ClientJudged[]): string | undefined {
  const kept = clients.flatMap(({ client, kept: judged }) =>
    judged === undefined || judged.failed === 0 ? [] : [`${client} ${judged.failed} failed`],
  );
  const logs = clients.flatMap(({ client, stream }) => {
    if (stream === undefined) return [];
    const ended = stream.atFault?.endedAfterMs;
    const how = ended === undefined ? '' : `, ${stream.atFault?.is} after ${timeInWords(ended)}`;
    return [`${client} gap ${timeInWords(stream.longestGapMs)}${how}`];
  });
  if (clients.every(({ kept: judged, stream }) => judged === undefined && stream === undefined)) return undefined;
  const log = logs.length === 0 ? '' : `; log followed: ${logs.join(', ')}`;
  return `kept connections: ${kept.length === 0 ? 'none failed' : kept.join(', ')}${log}`;
}

/** `undefined` where nothing was sampled or nothing changed. */
export function flapsInWords({ notReady, elections }: FlapsJudged): string | undefined {
  const counted = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([name, count]) => `${name}${count === 1 ? '' : ` ${count} times`}`);
  const parts = [
    ...(Object.keys(notReady).length === 0 ? [] : [`not Ready: ${counted(notReady).join(', ')}`]),
    ...(Object.keys(elections).length === 0 ? [] : [`changed hands: ${counted(elections).join(', ')}`]),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

export function operationsInWords({ acknowledged, unknown, problems }: OperationsJudged): string {
  if (acknowledged + unknown === 0) return 'no writes';
  const lost = problems.length === 0 ? 'none lost' : `${problems.length} problems`;
  return `${acknowledged} writes acknowledged, ${lost}${unknown === 0 ? '' : `, ${unknown} unanswered`}`;
}

export function verdictInWords(verdict: Verdict): string {
  switch (verdict.is) {
    case 'within-budget':
      return 'within budget';
    case 'over-budget':
      return 'over budget';
    case 'bad-experiment':
      return 'a bad experiment: it says nothing about the cluster';
  }
}
