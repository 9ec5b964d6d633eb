/**
 * How long to wait so that what is done every `everyMs` falls on multiples of it. Timers of one process that follow the same
 * clock then wake it together: an agent sleeps most of the time, and waking up is what it costs. Never less than half of
 * `everyMs`, so that a timer that fires a moment early does not fire twice.
 */
export function alignedDelay(at: number, everyMs: number): number {
  const left = everyMs - (at % everyMs);
  return left < everyMs / 2 ? left + everyMs : left;
}

/** Calls `turn` on multiples of `everyMs` until what it gives is called. */
export function everyAligned(everyMs: number, now: () => number, turn: () => void): () => void {
  let timer: NodeJS.Timeout;
  const next = () => {
    timer = setTimeout(
      () => {
        next();
        turn();
      },
      alignedDelay(now(), everyMs),
    );
  };
  next();
  return () => clearTimeout(timer);
}
