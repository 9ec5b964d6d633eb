/** How late the prober's own loop is: the worst of the last minute, kept as one number for each ten seconds. */
export interface LagGauge {
  /** A turn came `ms` later than it was due. */
  note(ms: number, at: number): void;
  last(): number;
  worstOfMinute(at: number): number;
}

const slotMs = 10_000;
const slots = 6;

export function lagGauge(): LagGauge {
  const worst = Array.from({ length: slots }, () => 0);
  const epochs = Array.from({ length: slots }, () => -1);
  let last = 0;
  return {
    note(ms, at) {
      last = Math.max(0, ms);
      const epoch = Math.floor(at / slotMs);
      const slot = epoch % slots;
      if (epochs[slot] !== epoch) {
        epochs[slot] = epoch;
        worst[slot] = 0;
      }
      worst[slot] = Math.max(worst[slot] ?? 0, last);
    },
    last: () => last,
    worstOfMinute(at) {
      const oldest = Math.floor(at / slotMs) - slots + 1;
      return Math.max(0, ...worst.filter((_, slot) => (epochs[slot] ?? -1) >= oldest));
    },
  };
}
