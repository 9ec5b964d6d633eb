import { type Address, parseAddress } from '../../std/address.ts';

/** The original direction of one tracked flow: what the client's socket is bound to. */
export interface Flow {
  readonly source: Address;
  readonly sourcePort: number;
  readonly destination: Address;
  readonly destinationPort: number;
}

/** Reads `conntrack -L`: the first tuple of each line. Lines that are no TCP flow are passed over. */
export function parseFlows(listing: string): readonly Flow[] {
  return listing.split('\n').flatMap((line) => {
    const found = /\bsrc=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/.exec(line);
    if (found === null || !line.includes('tcp')) return [];
    const [, src = '', dst = '', sport, dport] = found;
    const source = parseAddress(src);
    const destination = parseAddress(dst);
    if (source === undefined || destination === undefined) return [];
    return [{ source, sourcePort: Number(sport), destination, destinationPort: Number(dport) }];
  });
}

/** `conntrack` arguments that pick the flows that went to `endpoint` and are with `backend`. */
export function flowsOf(
  endpoint: Address,
  port: number,
  backend: Address,
  apiServerPort: number,
): readonly [string, ...string[]] {
  return [...toEndpoint(endpoint, port), '--reply-src', backend.text, '--reply-port-src', String(apiServerPort)];
}

/** `conntrack` arguments that pick the connections to `endpoint` that wait for `backend`, or for anybody without one. */
export function halfOpen(
  endpoint: Address,
  port: number,
  backend: Address | undefined,
): readonly [string, ...string[]] {
  return [
    ...toEndpoint(endpoint, port),
    ...(backend === undefined ? [] : ['--reply-src', backend.text]),
    '--state',
    'SYN_SENT',
  ];
}

/**
 * Whom a connection can wait for in vain after a transition: backends that are away and not steered to all the same, and the
 * endpoint itself (what went to the balancer) when steering begins. `undefined`: everybody, because nobody knows.
 */
export function waitedForInVain(
  endpoint: Address,
  to: { readonly backends: readonly Address[]; readonly away: readonly Address[] | undefined },
  fromBalancer: boolean,
): readonly (Address | undefined)[] {
  if (to.away === undefined) return [undefined];
  const gone = to.away.filter((a) => a.family === endpoint.family && !to.backends.some((b) => b.text === a.text));
  return fromBalancer && to.backends.length > 0 ? [...gone, endpoint] : gone;
}

/**
 * `ss` filters that name sockets exactly, at most `each` in one: the kernel runs a filter over every socket, and takes at
 * most 64 KiB of it. Flows that differ in their source port only share the rest of the words.
 */
export function socketFilters(flows: readonly Flow[], each = 400): readonly string[] {
  const groups = Map.groupBy(
    flows,
    (f) => `src ${f.source.text} and dst ${f.destination.text} and dport = :${f.destinationPort}`,
  );
  return [...groups].flatMap(([words, members]) =>
    chunks(members, each).map((part) => {
      const ports = part.map((f) => `sport = :${f.sourcePort}`);
      return `${words} and ( ${ports.join(' or ')} )`;
    }),
  );
}

export function chunks<T>(all: readonly T[], each: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / each) }, (_, i) => all.slice(i * each, (i + 1) * each));
}

/** How many sockets `ss --no-header --kill` says that it has closed. */
export function countLines(text: string): number {
  return text.split('\n').filter((line) => line.trim() !== '').length;
}

function toEndpoint(endpoint: Address, port: number): readonly [string, ...string[]] {
  return [
    '--family',
    endpoint.family === 4 ? 'ipv4' : 'ipv6',
    '--proto',
    'tcp',
    '--orig-dst',
    endpoint.text,
    '--orig-port-dst',
    String(port),
  ];
}
