import type { Operation } from '../history/record.ts';

/** A reason why no order of the operations explains what was read. */
export interface NotLinearizable {
  readonly object: string;
  readonly why: string;
}

/** All operations with one value: the write of it and the reads that gave it. */
interface Cluster {
  readonly value: string;
  /** The value must have been there at some moment up to this one: the first end of any of them. */
  readonly firstEnd: number;
  /** … and at some moment from this one on: the last start. */
  readonly lastStart: number;
}

/**
 * Whether a register's history is linearizable, where each value is written once: then Gibbons and Korach's zones decide
 * it in n log n ("Testing Shared Memories", SIAM J. Comput. 26, 1997), and a search is not needed. A value's zone is the
 * time for which it must have been the register's. Zones of which each value had to stay (forward) may not overlap, and a
 * value that came and went (backward) needs a moment outside every other's forward zone.
 *
 * A write that was never answered may take effect at any time or not at all: it counts when its value was read. Reads
 * that failed say nothing. What is read before any write is the value that was there.
 */
export function judgeRegister(object: string, operations: readonly Operation[]): readonly NotLinearizable[] {
  const own = operations.filter((o) => o.object === object);
  const writes = new Map<string, Operation>();
  const reads = new Map<string, Operation[]>();
  for (const o of own) {
    if (o.does.op === 'write' && o.result !== 'failed') writes.set(o.does.value, o);
    if (o.does.op === 'read' && o.result === 'ok') {
      const value = o.does.value ?? '';
      reads.set(value, [...(reads.get(value) ?? []), o]);
    }
  }
  const problems: NotLinearizable[] = [];
  const clusters: Cluster[] = [];
  const values = new Set([...writes.keys(), ...reads.keys()]);
  let initial: string | undefined;
  for (const value of values) {
    const write = writes.get(value);
    const reading = reads.get(value) ?? [];
    if (write === undefined) {
      // Only one value can have been there before anything was written.
      if (initial !== undefined) {
        problems.push({ object, why: `\`${value}\` was read and nobody wrote it` });
        continue;
      }
      initial = value;
    }
    if (write !== undefined && write.result === 'unknown' && reading.length === 0) continue;
    const tooEarly = reading.find((read) => write !== undefined && read.endedAt < write.startedAt);
    if (tooEarly !== undefined) problems.push({ object, why: `\`${value}\` was read before it was written` });
    const ends = reading.map((read) => read.endedAt);
    // What was there at the beginning was there for ever before it.
    if (write === undefined) ends.push(Number.NEGATIVE_INFINITY);
    else if (write.result === 'ok') ends.push(write.endedAt);
    const starts = reading.map((read) => read.startedAt);
    if (write !== undefined) starts.push(write.startedAt);
    clusters.push({ value, firstEnd: Math.min(...ends), lastStart: Math.max(...starts) });
  }
  return [...problems, ...overlapping(object, clusters)];
}

function overlapping(object: string, clusters: readonly Cluster[]): readonly NotLinearizable[] {
  const problems: NotLinearizable[] = [];
  const forward = clusters
    .filter((c) => c.firstEnd < c.lastStart)
    .toSorted((a, b) => a.firstEnd - b.firstEnd || a.lastStart - b.lastStart);
  let reaching: Cluster | undefined;
  for (const zone of forward) {
    if (reaching !== undefined && zone.firstEnd < reaching.lastStart) {
      problems.push({
        object,
        why: `\`${reaching.value}\` was there again after \`${zone.value}\` had replaced it, or the other way round`,
      });
    }
    if (reaching === undefined || zone.lastStart > reaching.lastStart) reaching = zone;
  }
  for (const zone of clusters.filter((c) => c.firstEnd >= c.lastStart)) {
    const around = forward.find((f) => f.firstEnd < zone.lastStart && zone.firstEnd < f.lastStart);
    if (around !== undefined) {
      problems.push({
        object,
        why: `\`${zone.value}\` was written while \`${around.value}\` was read before and after it: the write is lost, or an old value came back`,
      });
    }
  }
  return problems;
}
