import type { DrillRecord, Holding } from '../history/record.ts';

export interface HoldersJudged {
  readonly address: string;
  /** Longest time for which two nodes had it at once, and which. */
  readonly doubleMs: number;
  readonly doubleOn: readonly string[];
  /** Longest time for which nobody had it. */
  readonly nobodyMs: number;
  readonly moves: number;
}

/** Who held each virtual address, from what was seen; a node holds it from the sight of it until the sight of its absence. */
export function judgeHolders(history: readonly DrillRecord[], endAt: number): readonly HoldersJudged[] {
  const seen = history.filter((r): r is Holding => r.is === 'holding').toSorted((a, b) => a.at - b.at);
  return [...new Set(seen.map((s) => s.address))].map((address) =>
    judgeAddress(
      address,
      seen.filter((s) => s.address === address),
      endAt,
    ),
  );
}

function judgeAddress(address: string, seen: readonly Holding[], endAt: number): HoldersJudged {
  const holding = new Set<string>();
  let doubleMs = 0;
  let doubleOn: readonly string[] = [];
  let nobodyMs = 0;
  let moves = 0;
  let last: string | undefined;
  let doubleSince: number | undefined;
  let together: readonly string[] = [];
  let nobodySince: number | undefined;
  const endDouble = (at: number) => {
    if (doubleSince === undefined) return;
    if (at - doubleSince > doubleMs) {
      doubleMs = at - doubleSince;
      doubleOn = together;
    }
    doubleSince = undefined;
  };
  for (const { at, node, holds } of seen) {
    if (holds) holding.add(node);
    else holding.delete(node);
    if (holding.size > 1) {
      doubleSince ??= at;
      together = [...holding].toSorted();
    } else endDouble(at);
    if (holding.size === 0) nobodySince ??= at;
    else if (nobodySince !== undefined) {
      nobodyMs = Math.max(nobodyMs, at - nobodySince);
      nobodySince = undefined;
    }
    const [only] = holding;
    if (holding.size === 1 && only !== last) {
      if (last !== undefined) moves += 1;
      last = only;
    }
  }
  endDouble(endAt);
  if (nobodySince !== undefined) nobodyMs = Math.max(nobodyMs, endAt - nobodySince);
  return { address, doubleMs: round(doubleMs), doubleOn, nobodyMs: round(nobodyMs), moves };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
