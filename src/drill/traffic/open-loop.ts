import { monotonicMs } from '../history/clock.ts';

export interface Lateness {
  readonly planned: number;
  readonly started: number;
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/**
 * Calls `start` at a fixed rate until `signal` aborts, whatever becomes of what it starts: a blocked request does not
 * delay the next. Calls that became due while this process was busy are made at once, with the time they were due at,
 * so the count is always right and the lateness tells how well it went.
 */
export async function openLoop(
  perSecond: number,
  start: (scheduledAt: number) => void,
  signal: AbortSignal,
): Promise<Lateness> {
  const every = 1000 / perSecond;
  const first = monotonicMs();
  const late: number[] = [];
  await new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    const turn = () => {
      const now = monotonicMs();
      for (let due = first + late.length * every; due <= now; due = first + late.length * every) {
        late.push(now - due);
        start(Math.round(due * 1000) / 1000);
      }
      // Timers of Node count whole milliseconds and may fire up to one early; the next turn makes up for it.
      timer = setTimeout(turn, Math.max(0, first + late.length * every - monotonicMs()));
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    else turn();
  });
  const planned = Math.floor((monotonicMs() - first) / every) + 1;
  return { planned: Math.max(planned, late.length), started: late.length, lateMs: spread(late) };
}

function spread(values: readonly number[]): Lateness['lateMs'] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const round = (value: number) => Math.round(value * 100) / 100;
  return { p50: round(at(0.5)), p99: round(at(0.99)), max: round(at(1)) };
}
