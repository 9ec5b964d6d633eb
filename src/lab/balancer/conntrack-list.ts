import { parseAddress } from '../../std/address.ts';
import type { BackendConfig } from './config.ts';

/**
 * Reads `conntrack -L` and counts established flows per backend. Each line has two tuples; the second one is what the
 * reply looks like, and its source is the backend that NAT chose.
 */
export function establishedByBackend(listing: string, backends: readonly BackendConfig[]): ReadonlyMap<string, number> {
  const nameOf = new Map(backends.flatMap((b) => b.addresses.map((a) => [a.text, b.name] as const)));
  const counts = new Map<string, number>();
  for (const line of listing.split('\n')) {
    if (!/\bESTABLISHED\b/.test(line)) continue;
    const sources = [...line.matchAll(/\bsrc=(\S+)/g)];
    const name = nameOf.get(parseAddress(sources[1]?.[1] ?? '')?.text ?? '');
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
