import type { Prediction } from '../predict.ts';
import type { Entry } from './table.ts';

export function shortTime(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'until healed';
  if (ms === 0) return '0';
  return ms < 1000 ? `${Math.round(ms / 10) * 10} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function share(failed: number, attempts: number): string {
  const percent = attempts === 0 ? 0 : (failed / attempts) * 100;
  return percent > 0 && percent < 1 ? '< 1 %' : `${Math.round(percent)} %`;
}

export function predictionInWords(predicted: Prediction | undefined): string {
  if (predicted === undefined) return 'not reckoned';
  if (predicted.allGoodMs === 'until-healed') return 'until healed';
  return predicted.allGoodMs === 0 ? '0' : `≤ ${shortTime(predicted.allGoodMs)}`;
}

/** `0`, `2.1 s, 5 failed`, `until healed, 33 % failed`; `–` where there is no such client. */
export function entryInWords(entry: Entry | undefined): string {
  if (entry === undefined) return '–';
  if (entry.is === 'refused') return 'refused';
  if (entry.is === 'bad') return 'bad experiment';
  const { seen } = entry;
  if (seen.failsAnyway > 0) return `fails anyway, ${share(seen.failed, seen.attempts)}`;
  if (seen.failed === 0) return '0';
  if (seen.allGoodAfterMs === 'until-healed') return `until healed, ${share(seen.failed, seen.attempts)}`;
  return `${shortTime(seen.allGoodAfterMs)}, ${seen.failed} failed`;
}
