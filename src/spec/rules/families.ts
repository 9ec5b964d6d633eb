import type { Family } from '../../std/address.ts';
import type { PlacedFinding, Rule, RuleContext } from './rule.ts';
import { list } from './words.ts';

/** Packets do not change their family on the way: who dials an IPv6 endpoint needs an IPv6 address. */
export const families: Rule = {
  name: 'families',
  holds: 'endpoint, nodes, pods and services agree on IPv4, IPv6 or both',
  codes: ['SPEC_FAMILY_MISMATCH'],
  reads: ['endpoint', 'kubernetes', 'nodes'],
  check: (cx) => [...endpointFamily(cx), ...subnetFamilies(cx)],
};

function endpointFamily({ spec, nodePath }: RuleContext): PlacedFinding[] {
  const { endpoint, nodes } = spec;
  if (endpoint.addresses.length === 0) return [];
  const offered = new Set(endpoint.addresses.map((address) => address.family));
  const without = nodes.filter((node) => !node.addresses.some((address) => offered.has(address.family)));
  const [first] = without;
  if (first === undefined) return [];
  const wanted = [...offered].map((family) => `IPv${family}`).join(' or ');
  const problem = `no ${wanted} address, and the endpoint ${endpoint.addresses.map((a) => a.text).join(', ')} can be dialled with one only`;
  if (without.length === nodes.length) {
    const what = endpoint.kind === 'address' ? 'address' : 'addresses';
    const has = `IPv${first.address.family}`;
    return [
      {
        at: ['spec', 'endpoint', what],
        code: 'SPEC_FAMILY_MISMATCH',
        problem: `the endpoint is ${wanted} and no node has such an address`,
        expected: `an endpoint with ${has}, or nodes with \`address: [${has}, ${wanted}]\``,
      },
    ];
  }
  return without.map((node) => ({ at: nodePath(node, 'address'), code: 'SPEC_FAMILY_MISMATCH', problem }));
}

function subnetFamilies({ spec, nodePath }: RuleContext): PlacedFinding[] {
  const found: PlacedFinding[] = [];
  const pods = spec.kubernetes.podSubnets.map((net) => net.base.family);
  const services = spec.kubernetes.serviceSubnets.map((net) => net.base.family);
  const code = 'SPEC_FAMILY_MISMATCH';
  if (pods.join() !== services.join()) {
    found.push({
      at: ['spec', 'kubernetes', 'serviceSubnet'],
      code,
      problem: `services are ${words(services)} and pods are ${words(pods)}`,
      expected: 'the same families in the same order',
    });
  }
  const primary = services[0] ?? 4;
  for (const node of spec.nodes) {
    const has = node.addresses.map((address) => address.family);
    const missing = services.filter((family) => !has.includes(family));
    if (missing.length > 0) {
      const problem = `no ${words(missing)} address for ${words(services)} pods and services`;
      found.push({ at: nodePath(node, 'address'), code, problem });
    } else if (node.address.family !== primary) {
      const problem = `the first address is IPv${node.address.family}, and services start with IPv${primary}`;
      found.push({ at: nodePath(node, 'address'), code, problem, expected: `the IPv${primary} address first` });
    }
  }
  return found;
}

function words(families: readonly Family[]): string {
  return list(families.map((family) => `IPv${family}`));
}
