import type { Spec, SpecNode } from '../../spec/spec.ts';
import { addressAt, bits, type Cidr, formatCidr } from '../../std/address.ts';

export const bridgeConfigPath = '/etc/cni/net.d/10-hairpin.conflist';

/**
 * The lab's network for pods: a bridge on each node and a share of the pod subnet per node, to which the lab has routes.
 * No masquerading: pods keep their address, so that the balancer sees what it would see of a routed CNI.
 */
export function renderBridge(spec: Spec, node: SpecNode): string {
  const shares = podShares(spec, node);
  const config = {
    cniVersion: '0.4.0',
    name: 'hairpin',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: shares.map((share) => [{ subnet: formatCidr(share) }]),
          routes: shares.map((share) => ({ dst: share.base.family === 4 ? '0.0.0.0/0' : '::/0' })),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** The node's share of each pod subnet: /24 or /64, the first one to the first node of the spec. */
export function podShares(spec: Spec, node: SpecNode): readonly Cidr[] {
  const index = spec.nodes.findIndex((other) => other.name === node.name);
  return spec.kubernetes.podSubnets.map((net) => {
    const { family } = net.base;
    const prefix = Math.max(family === 4 ? 24 : 64, net.prefix);
    return { base: addressAt(net, BigInt(index) << BigInt(bits(family) - prefix)), prefix };
  });
}
