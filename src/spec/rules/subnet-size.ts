import { bits, type Cidr, formatCidr } from '../../std/address.ts';
import { argument } from './kubeadm-arguments.ts';
import type { PlacedFinding, Rule, RuleContext } from './rule.ts';
import { count } from './words.ts';

/**
 * The limits of kubeadm's own validation (cmd/kubeadm/app/apis/kubeadm/validation: MinimumAddressesInServiceSubnet 10,
 * MaximumBitsForServiceSubnet 20, PodSubnetNodeMaskMaxDiff 16), found here before a node is touched; and a network of pods
 * that has a share for every node.
 */
export const subnetSize: Rule = {
  name: 'subnet-size',
  holds: 'networks of services and pods have a size that kubeadm accepts, with a share for each node',
  codes: ['SPEC_POD_SUBNET_SIZE', 'SPEC_SERVICE_SUBNET_SIZE'],
  reads: ['kubernetes', 'nodes', 'kubeadm'],
  check: (cx) => [
    ...cx.spec.kubernetes.serviceSubnets.flatMap(serviceSize),
    ...cx.spec.kubernetes.podSubnets.flatMap((net) => podSize(net, cx)),
  ],
};

function serviceSize(net: Cidr): PlacedFinding[] {
  const at = ['spec', 'kubernetes', 'serviceSubnet'];
  const code = 'SPEC_SERVICE_SUBNET_SIZE';
  const width = bits(net.base.family);
  const expected = `a prefix from /${width - 20} to /${width - 4}`;
  if (width - net.prefix > 20) {
    return [{ at, code, problem: `${formatCidr(net)} is too large: the apiserver keeps a bitmap of it`, expected }];
  }
  if (width - net.prefix < 4) {
    return [{ at, code, problem: `${formatCidr(net)} is too small: CoreDNS takes the tenth address`, expected }];
  }
  return [];
}

function podSize(net: Cidr, { spec }: RuleContext): PlacedFinding[] {
  const at = ['spec', 'kubernetes', 'podSubnet'];
  const code = 'SPEC_POD_SUBNET_SIZE';
  const nodePrefix = nodePrefixOf(net, spec.kubeadm.documents);
  const expected = `a prefix from /${Math.max(0, nodePrefix - 16)} to /${nodePrefix}`;
  if (net.prefix > nodePrefix || nodePrefix - net.prefix > 16) {
    const problem = `${formatCidr(net)} cannot be cut into the /${nodePrefix} that each node gets`;
    return [{ at, code, problem, expected }];
  }
  const shares = 2 ** (nodePrefix - net.prefix);
  if (shares >= spec.nodes.length) return [];
  return [
    {
      at,
      code,
      severity: 'warning',
      problem: `${formatCidr(net)} has a /${nodePrefix} for ${count(shares, 'node')}, and there are ${spec.nodes.length}`,
      expected: `/${nodePrefix - Math.ceil(Math.log2(spec.nodes.length))} or larger`,
      hint: 'fine only when the CNI has an address management of its own',
    },
  ];
}

/** kube-controller-manager's defaults are /24 and /64. */
function nodePrefixOf(net: Cidr, documents: Parameters<typeof argument>[0]): number {
  const family = net.base.family;
  const written =
    argument(documents, 'controllerManager', `node-cidr-mask-size-ipv${family}`) ??
    argument(documents, 'controllerManager', 'node-cidr-mask-size');
  const prefix = Number(written?.value);
  if (written !== undefined && Number.isInteger(prefix)) return prefix;
  return family === 4 ? 24 : 64;
}
