import type { Attempt, DrillRecord, EngineReport, Operation, Outcome } from '../../src/drill/history/record.ts';

/** Histories written by hand: times in milliseconds, the fault at 1000, the end at 10,000. */
export const marks: readonly DrillRecord[] = [
  { is: 'mark', at: 0, what: 'begin', text: '' },
  { is: 'mark', at: 1000, what: 'fault', text: 'apiserver of m1 frozen' },
  { is: 'mark', at: 10_000, what: 'end', text: '' },
];

export function attempt(client: string, scheduledAt: number, outcome: Outcome = { is: 'ok' }, took = 5): Attempt {
  return {
    is: 'attempt',
    client,
    over: 'new',
    scheduledAt,
    startedAt: scheduledAt,
    endedAt: scheduledAt + took,
    outcome,
  };
}

/** One attempt each `every` ms from 0 to 10 s; `outcome` may fail some of them, or let them start late. */
export function steadily(
  client: string,
  every: number,
  outcome: (at: number) => { readonly outcome?: Outcome; readonly took?: number; readonly late?: number } = () => ({}),
): readonly Attempt[] {
  return Array.from({ length: 10_000 / every }, (_, i) => {
    const at = i * every;
    const said = outcome(at);
    return { ...attempt(client, at, said.outcome ?? { is: 'ok' }, said.took ?? 5), startedAt: at + (said.late ?? 0) };
  });
}

export function engine(client: string, planned: number, started = planned, p99 = 1): EngineReport {
  const lateMs = { p50: 0.2, p99, max: p99 };
  return { is: 'engine', client, at: 10_000, forMs: 10_000, planned, started, lateMs, cpuMs: 100 };
}

export function watched(
  client: string,
  versions: readonly number[],
  opts: { readonly every?: number } = {},
): DrillRecord[] {
  const every = opts.every ?? 100;
  const about = { client, watcher: 0, stream: 0 };
  return [
    { is: 'watch-opened', ...about, at: 0, server: 'm1' },
    ...versions.map((version, i): DrillRecord => ({ is: 'watch-event', ...about, at: i * every, version })),
    { is: 'watch-ended', ...about, at: 10_000, how: 'stopped' },
  ];
}

let clientOf = 0;

export function did(
  object: string,
  does: Operation['does'],
  startedAt: number,
  endedAt: number,
  result: Operation['result'] = 'ok',
): Operation {
  clientOf += 1;
  return { is: 'operation', client: `c${clientOf}`, object, does, startedAt, endedAt, result };
}
