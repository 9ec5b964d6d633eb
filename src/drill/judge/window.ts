import type { Attempt, DrillRecord, Mark } from '../history/record.ts';

/** The times of a history that judges ask about. */
export interface Window {
  readonly beginAt: number;
  /** When something began to be broken; the harm may be done at any moment from here on. */
  readonly injectAt: number;
  /** When the fault was in force. */
  readonly faultAt: number;
  /** When it had been healed, if that is part of the history. */
  readonly healedAt: number | undefined;
  readonly endAt: number;
}

/** `undefined` when there is no fault in the history: nothing to be judged. */
export function windowOf(history: readonly DrillRecord[]): Window | undefined {
  const marks = history.filter((record): record is Mark => record.is === 'mark');
  const first = (what: Mark['what']) => marks.find((mark) => mark.what === what)?.at;
  const faultAt = first('fault');
  if (faultAt === undefined) return undefined;
  return {
    beginAt: first('begin') ?? faultAt,
    injectAt: first('inject') ?? faultAt,
    faultAt,
    healedAt: marks.findLast((mark) => mark.what === 'healed')?.at,
    endAt: marks.findLast((mark) => mark.what === 'end')?.at ?? lastTime(history),
  };
}

export function attemptsOf(history: readonly DrillRecord[], client: string, over: Attempt['over']): readonly Attempt[] {
  return history
    .filter((record): record is Attempt => record.is === 'attempt' && record.client === client && record.over === over)
    .toSorted((a, b) => a.scheduledAt - b.scheduledAt);
}

/** Client classes in the order in which they first appear. */
export function clientsOf(history: readonly DrillRecord[]): readonly string[] {
  return [...new Set(history.flatMap((record) => ('client' in record ? [record.client] : [])))];
}

function lastTime(history: readonly DrillRecord[]): number {
  return history.reduce((last, record) => Math.max(last, 'at' in record ? record.at : record.endedAt), 0);
}
