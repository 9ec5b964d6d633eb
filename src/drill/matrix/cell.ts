import type { ClientClass, VariantName } from './variants.ts';

/** The name that stands for "there is no balancer". */
export const noPreset = 'none';

export interface CellKey {
  readonly variant: VariantName;
  /** A balancer product, or `none`. */
  readonly preset: string;
  /** A scenario of drills, or `nothing` for the steady state. */
  readonly fault: string;
}

/** What was measured of one strategy × balancer × fault, for each client class. */
export interface Cell extends CellKey {
  readonly tier: 'wire' | 'node';
  readonly is: 'measured' | 'bad' | 'refused';
  /** Why it is bad, or why `plan` refuses the combination; empty for a good one. */
  readonly reasons: readonly string[];
  /** The master that was broken. */
  readonly target: string;
  readonly forMs: number;
  readonly perSecond: number;
  readonly startedAt: string;
  readonly clients: readonly CellClient[];
  readonly acknowledged: number;
  /** Writes that were acknowledged and are gone, and other impossible histories. */
  readonly wrong: readonly string[];
}

export interface CellClient {
  readonly client: ClientClass;
  readonly attempts: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly longestOutageMs: number;
  /** End of the last failure after the fault; `until-healed` when it failed until the fault was over; 0: nothing failed. */
  readonly allGoodAfterMs: number | 'until-healed';
  readonly slowestMs: number;
  readonly watchGapMs: number;
  readonly stuckStreams: number;
  /** Share of connections that fail with nothing broken at all, 0 to 1; above 0 the rest says little. */
  readonly failsAnyway: number;
}

export function keyOf({ variant, preset, fault }: CellKey): string {
  return `${variant}@${preset},${fault}`;
}

/** The command that makes the number again. */
export function commandOf({ variant, preset, fault, tier }: CellKey & Pick<Cell, 'tier'>): string {
  return `hairpin drill matrix --tier ${tier} --again --only ${variant}@${preset},${fault}`;
}
