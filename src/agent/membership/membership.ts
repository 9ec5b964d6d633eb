import { parseAddress } from '../../std/address.ts';
import { fields, flag, list, number, oneOf, type Shape, text } from '../../std/shape.ts';
import type { AgentConfig } from '../config/config.ts';

/**
 * Who the apiservers are: those of the configuration, and those that the cluster announces.
 *
 * One that is absent from `default/kubernetes` is down, not gone: its lease lapses 15 s after it stops. It stays probed
 * for a day. Absence is counted in time during which the cluster was asked and answered, never by the wall clock, so
 * that a clock that jumps, a machine that sleeps or a cluster that is off drops nobody.
 */
export interface Membership {
  /** By address: those that were announced at least once and not dropped since. */
  readonly seen: ReadonlyMap<string, Seen>;
}

export interface Seen {
  /** For how long it has not been announced, in ms of answered polls; 0: it was announced the last time. */
  readonly absentMs: number;
  /** The name that the configuration had for it; one that was configured and no longer is goes when it is absent. */
  readonly configured: boolean;
}

export interface Member {
  readonly name: string;
  /** Canonical, at least one. */
  readonly addresses: readonly string[];
  /** This node's own apiserver. */
  readonly self: boolean;
  /** Who named it: agent.json, or only the cluster. */
  readonly from: 'config' | 'cluster';
  readonly absentMs: number;
}

export const dropAfterMs = 24 * 3_600_000;
/** A step between two answered polls counts for at most this: in between, nobody knows who was there. */
export const mostCountedMs = 60_000;

/** Twice what one answer can hold and the configuration can name. */
const mostSeen = 256;

export const nobodySeen: Membership = { seen: new Map() };

/** The cluster has answered: `elapsedMs` is the time since it did so the last time. An empty list says nothing. */
export function announced(
  before: Membership,
  addresses: readonly string[],
  opts: { readonly elapsedMs: number; readonly config: AgentConfig },
): Membership {
  if (addresses.length === 0) return before;
  const counted = Math.min(Math.max(0, opts.elapsedMs), mostCountedMs);
  const configured = new Set(opts.config.masters.flatMap((master) => master.addresses));
  const seen = new Map<string, Seen>();
  for (const [address, { absentMs, configured: was }] of before.seen) {
    if (addresses.includes(address)) continue;
    const absent = absentMs + counted;
    const removed = was && !configured.has(address);
    if (absent < dropAfterMs && !removed) seen.set(address, { absentMs: absent, configured: was });
  }
  for (const address of addresses) seen.set(address, { absentMs: 0, configured: configured.has(address) });
  // One that is configured and has never been announced is counted too: it may be an apiserver that never comes back.
  for (const master of opts.config.masters) {
    if (master.addresses.some((address) => addresses.includes(address))) continue;
    const [first] = master.addresses;
    if (first === undefined || master.addresses.some((address) => seen.has(address))) continue;
    const absent = (before.seen.get(first)?.absentMs ?? 0) + counted;
    seen.set(first, { absentMs: Math.min(absent, dropAfterMs), configured: true });
  }
  return { seen: newest(seen) };
}

/** A cluster that announces other addresses each time must not make the agent grow. */
function newest(seen: ReadonlyMap<string, Seen>): ReadonlyMap<string, Seen> {
  if (seen.size <= mostSeen) return seen;
  return new Map([...seen].toSorted(([, a], [, b]) => a.absentMs - b.absentMs).slice(0, mostSeen));
}

/** Whom to probe. Names come from the configuration where an address matches; else the address is the name. */
export function members(membership: Membership, config: AgentConfig): readonly Member[] {
  const own = new Set(config.node.addresses);
  const isMaster = config.node.role === 'control-plane';
  const found: Member[] = [];
  const taken = new Set<string>();
  for (const { name, addresses } of config.masters) {
    const known = addresses.flatMap((address) => membership.seen.get(address) ?? []);
    const absentMs = known.length === 0 ? 0 : Math.min(...known.map((seen) => seen.absentMs));
    for (const address of addresses) taken.add(address);
    if (absentMs >= dropAfterMs) continue;
    const self = isMaster && (name === config.node.name || addresses.some((address) => own.has(address)));
    found.push({ name, addresses, self, from: 'config', absentMs });
  }
  const endpoints = new Set(config.endpoint.addresses);
  for (const [address, { absentMs }] of membership.seen) {
    if (taken.has(address) || endpoints.has(address)) continue;
    const self = isMaster && own.has(address);
    found.push({ name: address, addresses: [address], self, from: 'cluster', absentMs });
  }
  return found;
}

const notNegative: Shape<number> = (value): value is number => number(value) && value >= 0;

const savedMembership = fields({
  version: oneOf(1),
  seen: list(
    fields({
      address: text((value) => parseAddress(value)?.text === value),
      absentMs: notNegative,
      configured: flag,
    }),
    0,
    mostSeen,
  ),
});

export function writeMembership(membership: Membership): string {
  const seen = [...membership.seen].map(([address, { absentMs, configured }]) => ({ address, absentMs, configured }));
  return `${JSON.stringify({ version: 1, seen }, undefined, 2)}\n`;
}

/** What `writeMembership` wrote; `undefined` for anything else: a damaged file is no reason not to start. */
export function readMembership(written: string): Membership | undefined {
  try {
    const saved: unknown = JSON.parse(written);
    if (!savedMembership(saved)) return undefined;
    const seen = new Map<string, Seen>();
    for (const { address, absentMs, configured } of saved.seen) seen.set(address, { absentMs, configured });
    return { seen };
  } catch {
    return undefined;
  }
}
