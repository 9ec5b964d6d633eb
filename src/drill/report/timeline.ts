import type { DrillRecord } from '../history/record.ts';
import { isFailed } from '../judge/connections.ts';
import { attemptsOf, type Window } from '../judge/window.ts';

/** One slice of a client's time: how many connections were due in it, how many failed, and the slowest good one. */
export interface Slice {
  readonly from: number;
  readonly due: number;
  readonly failed: number;
  readonly slowestMs: number;
}

/** The run from begin to end in `count` slices. */
export function timelineOf(
  history: readonly DrillRecord[],
  client: string,
  window: Window,
  count: number,
): readonly Slice[] {
  const span = (window.endAt - window.beginAt) / count;
  const slices = Array.from({ length: count }, (_, i) => ({
    from: window.beginAt + i * span,
    due: 0,
    failed: 0,
    slowestMs: 0,
  }));
  for (const attempt of attemptsOf(history, client, 'new')) {
    const slice = slices[Math.floor((attempt.scheduledAt - window.beginAt) / span)];
    if (slice === undefined) continue;
    slice.due += 1;
    if (isFailed(attempt)) slice.failed += 1;
    else slice.slowestMs = Math.max(slice.slowestMs, attempt.endedAt - attempt.scheduledAt);
  }
  return slices;
}

const blocks = '▁▂▃▄▅▆▇█';

/** Height is the share that failed; `·` where nothing was due. A single failure of many is still seen. */
export function sparkline(slices: readonly Slice[]): string {
  return slices
    .map(({ due, failed }) => {
      if (due === 0) return '·';
      return blocks[failed === 0 ? 0 : Math.max(1, Math.round((failed / due) * (blocks.length - 1)))];
    })
    .join('');
}
