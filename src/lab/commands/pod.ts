import { formatCidr } from '../../std/address.ts';
import type { MachineSpace, PodSpace } from '../topology/topology.ts';

/** `ip` lines in the node's namespace: the pod's link and the node's end of it. */
export function podHostLines(pod: PodSpace, node: MachineSpace): readonly string[] {
  return [
    `link add name pod0 type veth peer name eth0 netns ${pod.netns}`,
    'link set dev pod0 up',
    ...pod.gateways.map(
      (gateway, i) =>
        `address add ${gateway.text}/${node.podCidrs[i]?.prefix} dev pod0${gateway.family === 6 ? ' nodad' : ''}`,
    ),
  ];
}

/** `ip` lines in the pod's namespace. */
export function podLines(pod: PodSpace, node: MachineSpace): readonly string[] {
  return [
    'link set dev lo up',
    'link set dev eth0 up',
    ...pod.addresses.map(
      (a, i) => `address add ${a.text}/${node.podCidrs[i]?.prefix} dev eth0${a.family === 6 ? ' nodad' : ''}`,
    ),
    ...pod.gateways.map((g) => `route add ${g.family === 6 ? '::/0' : 'default'} via ${g.text} dev eth0`),
  ];
}

/** What the bridge CNI's `ipMasq` does: traffic that leaves the node's own pod network gets the node's address. */
export function podMasquerade(node: MachineSpace): string {
  return node.podCidrs
    .map((net) => {
      const [table, header] = net.base.family === 4 ? ['ip', 'ip'] : ['ip6', 'ip6'];
      return [
        `table ${table} lab_pods {`,
        '  chain pods_out {',
        '    type nat hook postrouting priority 100;',
        `    ${header} saddr ${formatCidr(net)} ${header} daddr != ${formatCidr(net)} masquerade`,
        '  }',
        '}',
        '',
      ].join('\n');
    })
    .join('');
}
