import type { Address, Family } from '../../std/address.ts';

/**
 * Text of nftables rulesets, for the balancer emulator of the lab and for the steering table. Pure: text in, text out.
 *
 * There is one table per family, never an `inet` one: a `dnat` map holds addresses of one family, and a node that has
 * no IPv6 must not fail to load the rules for IPv4. The grammar is that of nft 1.0.6, the oldest one supported.
 */
export interface FamilyWords {
  /** The table's family: `table ip …`. */
  readonly table: 'ip' | 'ip6';
  /** The header in a match: `ip daddr …`. */
  readonly header: 'ip' | 'ip6';
  /** The type of a set element that holds an address. */
  readonly addressType: 'ipv4_addr' | 'ipv6_addr';
}

export function familyWords(family: Family): FamilyWords {
  return family === 4
    ? { table: 'ip', header: 'ip', addressType: 'ipv4_addr' }
    : { table: 'ip6', header: 'ip6', addressType: 'ipv6_addr' };
}

/** `172.16.104.54:6443` or `[fd00::1]:6443`: where a `dnat to` goes. */
export function natTarget(to: Address, port: number): string {
  return to.family === 6 ? `[${to.text}]:${port}` : `${to.text}:${port}`;
}
