import { parseAddress, unreachableKind } from '../../std/address.ts';

/**
 * The addresses that a name has had: all answers of both families, each until ten minutes after it was last given.
 * Connections to an address that DNS no longer gives are still made by clients that resolved it before.
 */
export interface Names {
  readonly addresses: ReadonlyMap<string, { readonly lastGivenAt: number }>;
  /** When to ask again; monotonic ms. */
  readonly askAgainAt: number;
}

/** One lookup of both families. A family that failed is `undefined`: what is known of it stays known. */
export interface Answers {
  readonly v4: readonly Answer[] | undefined;
  readonly v6: readonly Answer[] | undefined;
}

export interface Answer {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

export const keepMs = 10 * 60_000;
/** A TTL of 0 must not make the agent ask all the time, and one of a day must not hide a move. */
export const askMinMs = 5000;
export const askMaxMs = 5 * 60_000;
/** As many as the configuration may give by itself. */
const mostAddresses = 16;

export const noNames: Names = { addresses: new Map(), askAgainAt: Number.NEGATIVE_INFINITY };

/**
 * What is known after an answer. `forbidden` are addresses that are never steered: the node's own and the masters'.
 * `refused` says in words what was left out.
 */
export function resolved(
  before: Names,
  answers: Answers,
  opts: { readonly at: number; readonly forbidden: ReadonlySet<string> },
): { readonly names: Names; readonly refused: readonly string[] } {
  const { at } = opts;
  const refused: string[] = [];
  const given = [...(answers.v4 ?? []), ...(answers.v6 ?? [])].flatMap(({ address, ttl }) => {
    const parsed = parseAddress(address);
    const kind = parsed === undefined ? 'not an IP address' : unreachableKind(parsed);
    if (parsed === undefined || kind !== undefined) refused.push(`${JSON.stringify(address.slice(0, 60))} is ${kind}`);
    else if (opts.forbidden.has(parsed.text)) refused.push(`${parsed.text} is the address of a node`);
    else return [{ text: parsed.text, family: parsed.family, ttl: Number.isFinite(ttl) ? ttl : 0 }];
    return [];
  });
  const addresses = new Map<string, { lastGivenAt: number }>();
  for (const { text } of given) if (addresses.size < mostAddresses) addresses.set(text, { lastGivenAt: at });
  for (const [text, known] of before.addresses) {
    if (addresses.has(text) || opts.forbidden.has(text) || addresses.size >= mostAddresses) continue;
    const failed = (parseAddress(text)?.family === 4 ? answers.v4 : answers.v6) === undefined;
    if (failed || at - known.lastGivenAt < keepMs) addresses.set(text, failed ? { lastGivenAt: at } : known);
  }
  const failed = answers.v4 === undefined || answers.v6 === undefined;
  const ttls = given.map(({ ttl }) => ttl * 1000);
  const wait = ttls.length === 0 || failed ? askMinMs : Math.min(...ttls);
  const askAgainAt = at + Math.min(askMaxMs, Math.max(askMinMs, wait));
  return { names: { addresses, askAgainAt }, refused };
}

/** Canonical and sorted, so that equal knowledge has equal texts. */
export function addressesOf(names: Names): readonly string[] {
  return [...names.addresses.keys()].toSorted();
}
