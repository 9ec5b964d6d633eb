import { parseAddress, unreachableKind } from '../../std/address.ts';
import { fields, flag, list, nullish, number, oneOf, optional, text } from '../../std/shape.ts';

/** What the cluster says about its apiservers. */
export interface Announced {
  /** Canonical addresses, sorted, each once. */
  readonly addresses: readonly string[];
  /** What was left out, each with its reason in words; bounded like the addresses. */
  readonly problems: readonly string[];
}

/** No cluster has more masters than etcd can hold members together; more is a mistake or an attack. */
const mostAddresses = 64;

const port = fields({ name: optional(text()), port: number });

/** Only what is read; unknown fields are normal: the API grows. */
const endpointsObject = fields({
  kind: oneOf('Endpoints'),
  subsets: nullish(list(fields({ addresses: nullish(list(fields({ ip: text() }))), ports: nullish(list(port)) }))),
});

const sliceObject = fields({
  kind: oneOf('EndpointSlice'),
  endpoints: nullish(list(fields({ addresses: list(text()), conditions: nullish(fields({ ready: nullish(flag) })) }))),
  ports: nullish(list(port)),
});

interface Limits {
  readonly apiServerPort: number;
  /** The endpoint's own addresses: an apiserver that advertises the balancer must not become a backend of itself. */
  readonly endpoints: readonly string[];
}

/**
 * Reads the body of `endpoints/kubernetes` or `endpointslices/kubernetes`. Nothing that comes out of here is anything
 * but a canonical address that a machine can have. A text in words when it is no such object at all.
 */
export function readEndpoints(body: string, limits: Limits): Announced | { readonly problem: string } {
  let data: unknown;
  try {
    data = JSON.parse(body);
  } catch {
    return { problem: 'the answer is not JSON' };
  }
  if (endpointsObject(data)) {
    return collect(
      (data.subsets ?? []).map((subset) => ({
        ips: (subset.addresses ?? []).map(({ ip }) => ip),
        ports: subset.ports ?? [],
      })),
      limits,
    );
  }
  if (sliceObject(data)) {
    const ready = (data.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    return collect([{ ips: ready.flatMap(({ addresses }) => addresses), ports: data.ports ?? [] }], limits);
  }
  return { problem: 'the answer is neither an Endpoints nor an EndpointSlice object' };
}

function collect(
  subsets: readonly { readonly ips: readonly string[]; readonly ports: readonly { readonly port: number }[] }[],
  { apiServerPort, endpoints }: Limits,
): Announced {
  const addresses = new Set<string>();
  const problems = new Set<string>();
  const refuse = (problem: string) => {
    if (problems.size < mostAddresses) problems.add(problem);
  };
  for (const { ips, ports } of subsets) {
    const served = ports.map(({ port }) => port);
    if (!served.includes(apiServerPort)) {
      if (ips.length > 0)
        refuse(`${ips.length} addresses serve port ${served.slice(0, 4).join(', ')}, not ${apiServerPort}`);
      continue;
    }
    for (const ip of ips) {
      const parsed = parseAddress(ip);
      const kind = parsed === undefined ? undefined : unreachableKind(parsed);
      if (parsed === undefined) refuse(`${show(ip)} is not an IP address`);
      else if (kind !== undefined) refuse(`${parsed.text} is ${kind}`);
      else if (endpoints.includes(parsed.text)) refuse(`${parsed.text} is the endpoint itself`);
      else if (addresses.size >= mostAddresses) refuse(`more than ${mostAddresses} addresses`);
      else addresses.add(parsed.text);
    }
  }
  return { addresses: [...addresses].toSorted(), problems: [...problems] };
}

/** Untrusted text for a log line: short, and nothing but printable ASCII. */
function show(text: string): string {
  return JSON.stringify(text.slice(0, 60)).replace(/[^ -~]/g, '?');
}
