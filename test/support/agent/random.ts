/** Reproducible choices: the same seed gives the same day (mulberry32). */
export interface Random {
  /** A whole number from 0 to `n` - 1. */
  below(n: number): number;
  of<T>(all: readonly T[]): T;
}

export function random(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (n) => Math.floor(next() * n),
    of(all) {
      const found = all[Math.floor(next() * all.length)];
      if (found === undefined) throw new Error('nothing to choose from');
      return found;
    },
  };
}
