import type { DrillRecord, Leader, NodeReady } from '../history/record.ts';

export interface FlapsJudged {
  /** Nodes that were seen to become not ready, and how often. */
  readonly notReady: Readonly<Record<string, number>>;
  /** Leases (and etcd) that changed hands, and how often. */
  readonly elections: Readonly<Record<string, number>>;
}

/** Changes that were seen from `since` on, from samples of the state. */
export function judgeFlaps(history: readonly DrillRecord[], since: number): FlapsJudged {
  const ready = history.filter((r): r is NodeReady => r.is === 'node-ready');
  const leaders = history.filter((r): r is Leader => r.is === 'leader');
  return {
    notReady: changes(
      ready,
      since,
      (r) => r.node,
      (before, now) => before.ready && !now.ready,
    ),
    elections: changes(
      leaders,
      since,
      (r) => r.of,
      (before, now) => before.holder !== now.holder,
    ),
  };
}

function changes<Sample extends { readonly at: number }>(
  samples: readonly Sample[],
  since: number,
  of: (sample: Sample) => string,
  isChange: (before: Sample, now: Sample) => boolean,
): Readonly<Record<string, number>> {
  const last = new Map<string, Sample>();
  const counts: Record<string, number> = {};
  for (const sample of samples.toSorted((a, b) => a.at - b.at)) {
    const before = last.get(of(sample));
    last.set(of(sample), sample);
    if (sample.at >= since && before !== undefined && isChange(before, sample)) {
      counts[of(sample)] = (counts[of(sample)] ?? 0) + 1;
    }
  }
  return counts;
}
