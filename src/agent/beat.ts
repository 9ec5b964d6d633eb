/** As often as a master asks an apiserver (design.md: "a PING every 100 ms"), so that its ticks cost no turn of their own. */
export const beatMs = 100;

/**
 * The one timer of a process that sleeps nearly always: waking up is what it costs, and a timer that is made anew for each
 * turn costs as much again (`npm run bench:agent`; docs/agent.md has the numbers).
 */
export interface Beat extends Disposable {
  /** Calls `turn` with the time at each beat until what it gives is called. */
  each(turn: (at: number) => void): () => void;
  /** The same at the beats that are nearest to `everyMs` apart. */
  every(everyMs: number, turn: () => void): () => void;
}

export function startBeat(now: () => number): Beat {
  const turns = new Set<(at: number) => void>();
  const timer = setInterval(() => {
    const at = now();
    for (const turn of turns) turn(at);
  }, beatMs);
  const each: Beat['each'] = (turn) => {
    turns.add(turn);
    return () => void turns.delete(turn);
  };
  return {
    each,
    every(everyMs, turn) {
      let last = now();
      return each((at) => {
        if (!isDue(at, last, everyMs)) return;
        last = at;
        turn();
      });
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      turns.clear();
    },
  };
}

/** Whether this beat is the nearest to `everyMs` after `last`. */
export function isDue(at: number, last: number, everyMs: number): boolean {
  return at - last > everyMs - beatMs / 2;
}
