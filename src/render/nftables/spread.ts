import type { Address, Family } from '../../std/address.ts';
import { familyWords, natTarget } from './family.ts';

/** How new connections are spread: in turn, or so that one client address always gets the same target. */
export type SpreadBy = 'turn' | 'source';

export interface Weighted<T> {
  readonly target: T;
  /** A whole number; 0 takes the target out. */
  readonly weight: number;
}

/** A rule that jumps to one chain per target: `numgen inc mod 3 vmap { 0 : goto to-m1, … }`. */
export function spreadToChains(family: Family, by: SpreadBy, chains: readonly Weighted<string>[]): string {
  return spread(family, by, chains, 'vmap', (chain) => `goto ${chain}`);
}

/** A rule that translates to one of several backends: `dnat to numgen inc mod 3 map { 0 : …, … }`. */
export function spreadDnat(
  family: Family,
  by: SpreadBy,
  backends: readonly Weighted<{ readonly address: Address; readonly port: number }>[],
): string {
  const [first, ...others] = backends.filter((b) => b.weight > 0);
  if (first !== undefined && others.length === 0) {
    return `dnat to ${natTarget(first.target.address, first.target.port)}`;
  }
  // A map with ports needs `addr . port` as its data; the bracket notation of a single target is not allowed there.
  return `dnat ${familyWords(family).header} to ${spread(family, by, backends, 'map', (b) => `${b.address.text} . ${b.port}`)}`;
}

function spread<T>(
  family: Family,
  by: SpreadBy,
  targets: readonly Weighted<T>[],
  kind: 'map' | 'vmap',
  value: (target: T) => string,
): string {
  const slots = inTurn(targets);
  if (slots.length === 0) throw new RangeError('Nothing to spread connections over');
  const pick = by === 'turn' ? 'numgen inc' : `jhash ${familyWords(family).header} saddr`;
  const elements = slots.map((target, slot) => `${slot} : ${value(target)}`);
  return `${pick} mod ${slots.length} ${kind} { ${elements.join(', ')} }`;
}

/** Weights 2 and 1 give a, b, a: a heavy target's turns are dealt out between those of the others, not one after the other. */
function inTurn<T>(targets: readonly Weighted<T>[]): readonly T[] {
  const heaviest = Math.max(0, ...targets.map((t) => t.weight));
  return Array.from({ length: heaviest }, (_, round) =>
    targets.filter((t) => t.weight > round).map((t) => t.target),
  ).flat();
}
