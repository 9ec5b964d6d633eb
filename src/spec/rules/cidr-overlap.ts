import { type Address, type Cidr, cidrContains, cidrsOverlap, formatCidr } from '../../std/address.ts';
import type { PlacedFinding, Rule, RuleContext } from './rule.ts';

interface Network {
  readonly field: 'podSubnet' | 'serviceSubnet';
  readonly whose: string;
  readonly net: Cidr;
}

/** Nodes, pods, services and the endpoint each need addresses of their own: an overlap makes one of them unreachable. */
export const cidrOverlap: Rule = {
  name: 'cidr-overlap',
  holds: 'networks of pods and services do not overlap, and neither holds the endpoint or a node',
  codes: ['SPEC_ADDRESS_IN_SUBNET', 'SPEC_CIDR_OVERLAP'],
  reads: ['kubernetes', 'endpoint', 'each-node'],
  check(cx) {
    const networks = networksOf(cx);
    return [...overlaps(networks), ...inside(cx, networks)];
  },
};

function networksOf({ spec }: RuleContext): readonly Network[] {
  const pods = spec.kubernetes.podSubnets.map((net): Network => ({ field: 'podSubnet', whose: 'pods', net }));
  const services = spec.kubernetes.serviceSubnets.map(
    (net): Network => ({ field: 'serviceSubnet', whose: 'services', net }),
  );
  return [...pods, ...services];
}

/** At most four networks: two families of two kinds. */
function overlaps(networks: readonly Network[]): PlacedFinding[] {
  return networks.flatMap((a, i) =>
    networks.slice(i + 1).flatMap((b): PlacedFinding[] => {
      if (!cidrsOverlap(a.net, b.net)) return [];
      return [
        {
          at: ['spec', 'kubernetes', b.field],
          code: 'SPEC_CIDR_OVERLAP',
          problem: `${formatCidr(b.net)} (${b.whose}) overlaps ${formatCidr(a.net)} (${a.whose})`,
        },
      ];
    }),
  );
}

function inside({ spec, nodePath }: RuleContext, networks: readonly Network[]): PlacedFinding[] {
  const around = (address: Address) => networks.find(({ net }) => cidrContains(net, address));
  const finding = (address: Address, at: PlacedFinding['at']): PlacedFinding[] => {
    const network = around(address);
    if (network === undefined) return [];
    const problem = `${address.text} lies in ${formatCidr(network.net)}, the network of ${network.whose}`;
    const expected = 'an address outside of it';
    const hint = `or another \`kubernetes.${network.field}\``;
    return [{ at, code: 'SPEC_ADDRESS_IN_SUBNET', problem, expected, hint }];
  };
  return [
    ...spec.endpoint.addresses.flatMap((address, i) =>
      finding(
        address,
        spec.endpoint.kind === 'address' ? ['spec', 'endpoint', 'address'] : ['spec', 'endpoint', 'addresses', i],
      ),
    ),
    ...spec.nodes.flatMap((node) => node.addresses.flatMap((address) => finding(address, nodePath(node, 'address')))),
  ];
}
