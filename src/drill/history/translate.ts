import type { DrillRecord } from './record.ts';

/** Moves every time of a record from the clock of the machine that wrote it to the clock of the run. */
export function translate(record: DrillRecord, ours: (theirs: number) => number): DrillRecord {
  switch (record.is) {
    case 'attempt':
      return {
        ...record,
        scheduledAt: ours(record.scheduledAt),
        startedAt: ours(record.startedAt),
        endedAt: ours(record.endedAt),
      };
    case 'operation':
      return { ...record, startedAt: ours(record.startedAt), endedAt: ours(record.endedAt) };
    case 'watch-opened':
    case 'watch-event':
    case 'watch-ended':
    case 'stream':
    case 'mark':
    case 'holding':
    case 'node-ready':
    case 'leader':
    case 'engine':
      return { ...record, at: ours(record.at) };
  }
}
