import type { Prediction } from '../predict.ts';
import type { VariantName } from '../variants.ts';
import { type Row, scoreOf } from './table.ts';
import { shortTime } from './words.ts';

/** Where another strategy did better than steering. */
export interface Behind {
  readonly row: Row;
  readonly steer: VariantName;
  readonly best: VariantName;
  readonly steerMs: number;
  readonly bestMs: number;
  /** `undefined`: nobody has explained it. */
  readonly why: string | undefined;
}

/** Ten connections a second see no difference below this. */
const sameMs = 300;

const steering: readonly VariantName[] = ['steer', 'steer-workers', 'steer-static', 'steer-no-agent'];

/** Pure: rows on which steer is not ahead, nor level. Workers are judged by the form that steers them. */
export function behindOn(rows: readonly Row[]): readonly Behind[] {
  return rows.flatMap((row) => {
    const steer = steerOf(row);
    const steerMs = scoreOf(row.entries.get(steer));
    if (steerMs === undefined) return [];
    const others = othersOf(row);
    const best = others.toSorted((a, b) => a.ms - b.ms)[0];
    if (best === undefined || best.ms + sameMs >= steerMs) return [];
    const found = { row, steer, best: best.name, steerMs, bestMs: best.ms };
    return [{ ...found, why: whyChance(found) ?? whyBehind(row, best.name) }];
  });
}

/** Steer and another strategy were measured; only then is there something to compare. */
export function isComparable(row: Row): boolean {
  return scoreOf(row.entries.get(steerOf(row))) !== undefined && othersOf(row).length > 0;
}

function steerOf(row: Row): VariantName {
  return row.client.startsWith('worker') && row.entries.has('steer-workers') ? 'steer-workers' : 'steer';
}

function othersOf(row: Row): readonly { readonly name: VariantName; readonly ms: number }[] {
  return [...row.entries].flatMap(([name, entry]) => {
    const ms = scoreOf(entry);
    return steering.includes(name) || ms === undefined ? [] : [{ name, ms }];
  });
}

/** Which connections meet the lost apiserver, and when the balancer or a proxy asked last, is chance; what is sure is the bound. */
function whyChance({ row, steer, best, steerMs }: Omit<Behind, 'why'>): string | undefined {
  const [ours, theirs] = [predictedFor(row, steer), predictedFor(row, best)];
  if (ours === undefined || theirs === undefined) return undefined;
  const theirMs = theirs.allGoodMs === 'until-healed' ? Number.POSITIVE_INFINITY : theirs.allGoodMs;
  if (theirMs < steerMs) return undefined;
  const bound =
    theirs.allGoodMs === 'until-healed' ? 'as long as the fault lasts' : `up to ${shortTime(theirs.allGoodMs)}`;
  if (ours.from === theirs.from) {
    return `this client takes the same way with both, and it may take ${bound}; where its connections meet the lost one is chance`;
  }
  return `chance: with \`${best}\` it may take ${bound} (${theirs.from})`;
}

function predictedFor(row: Row, variant: VariantName): Prediction | undefined {
  const entry = row.entries.get(variant);
  return entry?.is === 'measured' ? entry.predicted : undefined;
}

function whyBehind({ fault, client }: Row, best: VariantName): string | undefined {
  if (fault === 'balancer-down' || fault === 'second-fault') {
    if (client === 'outside') {
      return 'an outside client has no way but the balancer; only strategies without one do not lose it';
    }
    if (client.startsWith('worker')) return 'a strategy without a balancer has none that could be down';
  }
  if (client === 'outside') {
    if (best === 'keepalived-haproxy') {
      return 'outside clients are not steered and wait for the balancer; haproxy behind the balancer hides the apiserver, at the price of a proxy in the path of everybody';
    }
    if (best === 'keepalived-vip' || best === 'all-master-vip') {
      return 'outside clients are not steered and wait for the balancer; here there is none, and haproxy of the holder is quicker';
    }
    return undefined;
  }
  if (
    client.startsWith('worker') &&
    (fault === 'apiserver-frozen' || fault === 'node-silent' || fault === 'apiserver-killed')
  ) {
    return best.startsWith('keepalived') || best === 'all-master-vip'
      ? "a worker's agent asks gently, because there may be thousands; connections that the lost apiserver had taken wait out their 2 s"
      : undefined;
  }
  if (fault === 'rules-flushed') {
    return 'steering lives in nftables: until the table is put back, within 1 s, it is as without; the others have nothing there to lose';
  }
  if (fault === 'agent-killed' || fault === 'agent-frozen') return 'only steer has an agent to lose';
  return undefined;
}
