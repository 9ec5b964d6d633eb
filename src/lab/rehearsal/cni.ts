import { formatCidr } from '../../std/address.ts';
import type { MachineSpace } from '../topology/topology.ts';

export const cniFile = '/etc/cni/net.d/10-bridge.conflist';

/** The simplest pod network there is: a bridge on each node; the lab's fabric routes each node's share to it. Pure. */
export function bridgeConflist(space: MachineSpace): string {
  const conflist = {
    cniVersion: '1.0.0',
    name: 'lab',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isDefaultGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: space.podCidrs.map((net) => [{ subnet: formatCidr(net) }]) },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  return `${JSON.stringify(conflist, undefined, 2)}\n`;
}
