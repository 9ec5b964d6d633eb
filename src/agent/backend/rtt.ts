/** Smoothed round-trip time and its variation, in milliseconds, as TCP reckons them (RFC 6298 §2). */
export interface Rtt {
  readonly smoothed: number;
  readonly variation: number;
}

/** 50 ms: below that a scheduling pause on either side looks like trouble (design.md, "Suspect is not dead"). */
export const minPatienceMs = 50;

/** The first sample sets the estimate; later ones move it by 1/8 and its variation by 1/4 (RFC 6298 §2.2, §2.3). */
export function sampleRtt(before: Rtt | undefined, ms: number): Rtt {
  if (before === undefined) return { smoothed: ms, variation: ms / 2 };
  return {
    variation: before.variation * 0.75 + Math.abs(before.smoothed - ms) * 0.25,
    smoothed: before.smoothed * 0.875 + ms * 0.125,
  };
}

/** How long one answer may be outstanding before the backend is suspect. */
export function patience(rtt: Rtt | undefined): number {
  return rtt === undefined ? minPatienceMs : Math.max(minPatienceMs, rtt.smoothed + 4 * rtt.variation);
}
