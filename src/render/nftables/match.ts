import type { Address, Family } from '../../std/address.ts';
import { familyWords } from './family.ts';

/**
 * The first packet of a TCP connection and nothing else. Every rule that gives a connection a direction has this match:
 * without it, flows that were there before the rule are picked up in mid-stream and torn apart.
 */
export const newConnection = 'tcp flags & (fin|syn|rst|ack) == syn';

/**
 * Keeps connection tracking alive in a namespace whose NAT rules come and go. The kernel tracks only while some rule
 * asks for it; when the last one is flushed, live translated flows lose their translation with the next packet.
 */
export const pinConntrack = 'ct state invalid counter';

/** Packets to `port` of any of `addresses`, which must be of one family. */
export function toAddresses(family: Family, addresses: readonly Address[], port: number): string {
  return `${familyWords(family).header} daddr ${anyOf(addresses)} tcp dport ${port}`;
}

/** Both directions of tracked flows whose first packet went to any of `addresses`, whatever NAT did to it. */
export function originallyTo(family: Family, addresses: readonly Address[]): string {
  const { header } = familyWords(family);
  // nft 1.0.6 does not take an anonymous set after `ct original ip daddr` in every place, but a single value always.
  return addresses.length === 1
    ? `ct original ${header} daddr ${addresses[0]?.text}`
    : `ct original ${header} daddr ${anyOf(addresses)}`;
}

/** `10.0.0.1` or `{ 10.0.0.1, 10.0.0.2 }`. Throws `RangeError` for none, which nft could not express. */
export function anyOf(addresses: readonly Address[]): string {
  if (addresses.length === 0) throw new RangeError('An nftables match needs at least one address');
  const texts = addresses.map((a) => a.text);
  return texts.length === 1 ? (texts[0] ?? '') : `{ ${texts.join(', ')} }`;
}
