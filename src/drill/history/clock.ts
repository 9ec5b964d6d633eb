/**
 * One clock a run. All processes of one machine share CLOCK_MONOTONIC, network namespaces and nspawn nodes included, so
 * in a lab nothing has to be converted. Another machine has a clock of its own: there every traffic process answers
 * `clock` questions over the stream that it reports on, and its times are moved by the offset that the quickest round
 * trip gives, as NTP does it. Half of that round trip is the largest error there can be; where it is above 1 ms the
 * history says so. Two estimates, before and after the run, give the drift between the two clocks.
 */
export function monotonicMs(): number {
  return Math.round(Number(process.hrtime.bigint() / 1000n)) / 1000;
}

/** One question: when it was sent and its answer came by our clock, and what the other clock said in between. */
export interface ClockSample {
  readonly sentAt: number;
  readonly theirs: number;
  readonly receivedAt: number;
}

/** Ours = theirs + `offsetMs`, at our time `at`, wrong by at most `errorMs`. */
export interface ClockOffset {
  readonly at: number;
  readonly offsetMs: number;
  readonly errorMs: number;
}

/** The best of several questions: the quickest round trip leaves the least room for an error. */
export function offsetFrom(samples: readonly ClockSample[]): ClockOffset | undefined {
  const best = samples.toSorted((a, b) => a.receivedAt - a.sentAt - (b.receivedAt - b.sentAt))[0];
  if (best === undefined) return undefined;
  const middle = (best.sentAt + best.receivedAt) / 2;
  return { at: middle, offsetMs: middle - best.theirs, errorMs: (best.receivedAt - best.sentAt) / 2 };
}

/** Turns their times into ours. Between two estimates the offset changes evenly; crystals differ by some 50 ppm. */
export function translator(first: ClockOffset, last: ClockOffset = first): (theirs: number) => number {
  const span = last.at - first.at;
  if (span <= 0) return (theirs) => theirs + first.offsetMs;
  const drift = (last.offsetMs - first.offsetMs) / span;
  return (theirs) => {
    const roughly = theirs + first.offsetMs;
    return Math.round((roughly + drift * (roughly - first.at)) * 1000) / 1000;
  };
}
