import { type Address, type Cidr, cidrContains, type Family, formatCidr, parseAddress } from '../../std/address.ts';
import { addressPlan, defaults } from './defaults.ts';
import type { LabInput } from './input.ts';
import type { LabEndpoint, NetworkKind } from './lab-spec.ts';
import type { Report, Subnets, Taken } from './resolve.ts';
import { whyNotHost } from './subnet.ts';

const domainPattern = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** What clients dial. A domain gets two addresses per family, as products whose front end is a name have. */
export function resolveEndpoint(
  input: LabInput,
  frontEnd: 'address' | 'domain',
  families: readonly Family[],
  network: NetworkKind,
  subnets: Subnets,
  taken: Taken[],
  report: Report,
): LabEndpoint {
  const written = input.endpoint ?? {};
  const fallback = written.domain !== undefined || (frontEnd === 'domain' && written.addresses === undefined);
  const isDomain = written.kind === undefined ? fallback : written.kind === 'domain';
  const domain = isDomain ? (written.domain ?? defaults.domain) : undefined;
  if (written.kind === 'vip' && written.domain !== undefined) {
    report({
      path: ['spec', 'endpoint', 'domain'],
      code: 'LAB_ENDPOINT_BAD',
      problem: 'an endpoint of kind `vip` has no domain name',
      expected: 'kind `domain`, or no `domain`',
    });
  }
  if (domain !== undefined && !domainPattern.test(domain)) {
    report({
      path: ['spec', 'endpoint', 'domain'],
      code: 'LAB_ENDPOINT_BAD',
      problem: `\`${domain}\` is not a domain name`,
      expected: `a name such as ${defaults.domain}`,
    });
  }
  const texts =
    written.addresses ?? families.flatMap((family) => addressPlan[family].endpoints.slice(0, isDomain ? 2 : 1));
  const addresses = texts.flatMap((text, index) => {
    const path = ['spec', 'endpoint', 'addresses', index] as const;
    const parsed = parseAddress(text);
    if (parsed === undefined || !families.includes(parsed.family)) {
      report({
        path,
        code: 'LAB_ENDPOINT_BAD',
        problem: parsed === undefined ? `\`${text}\` is not an IP address` : `${text} is IPv${parsed.family}`,
        expected: `an IPv${families.join(' or IPv')} address`,
      });
      return [];
    }
    const problem = whyNotEndpoint(parsed, network, subnets) ?? alreadyTaken(parsed, taken);
    if (problem !== undefined)
      report({ path, code: 'LAB_ENDPOINT_BAD', problem: `${text} ${problem.is}`, expected: problem.expected });
    taken.push({ address: parsed, by: 'the endpoint' });
    return [parsed];
  });
  for (const family of families) {
    const count = addresses.filter((a) => a.family === family).length;
    if (addresses.length === texts.length && (count === 0 || (count > 1 && !isDomain))) {
      report({
        path: ['spec', 'endpoint', 'addresses'],
        code: 'LAB_ENDPOINT_BAD',
        problem: `the endpoint has ${count === 0 ? 'no' : count} IPv${family} addresses`,
        expected: isDomain ? 'at least one address per family' : 'one address per family; several need a domain name',
      });
    }
  }
  return { domain, addresses: addresses.toSorted((a, b) => a.family - b.family), port: written.port ?? defaults.port };
}

function whyNotEndpoint(
  a: Address,
  network: NetworkKind,
  subnets: Subnets,
): { readonly is: string; readonly expected: string } | undefined {
  const nodes = subnets.nodes.find((net) => net.base.family === a.family);
  if (nodes !== undefined) {
    const why = whyNotHost(nodes, a);
    if (network === 'segment' && why === 'outside') {
      return {
        is: `is outside the segment ${formatCidr(nodes)}`,
        expected: 'an address of that subnet, because the balancer is a machine on the segment',
      };
    }
    if (why !== undefined && why !== 'outside')
      return { is: `is ${why} in ${formatCidr(nodes)}`, expected: 'a free address' };
  }
  const inside = (
    [
      ['clients', subnets.clients],
      ['pods', subnets.pods],
      ['services', subnets.services],
    ] as const
  )
    .flatMap(([name, nets]) => nets.map((net: Cidr) => ({ name, net })))
    .find(({ net }) => cidrContains(net, a));
  return inside === undefined
    ? undefined
    : {
        is: `is inside the ${inside.name} subnet ${formatCidr(inside.net)}`,
        expected: "an address of the balancer's own",
      };
}

function alreadyTaken(
  a: Address,
  taken: readonly Taken[],
): { readonly is: string; readonly expected: string } | undefined {
  const other = taken.find((t) => t.address.text === a.text);
  return other === undefined ? undefined : { is: 'is there twice', expected: 'different addresses' };
}
