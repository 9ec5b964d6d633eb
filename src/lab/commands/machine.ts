import { bits } from '../../std/address.ts';
import type { BalancerSpace, MachineLink, MachineSpace, Topology } from '../topology/topology.ts';
import { isOnSegment } from './fabric.ts';

/** `ip` lines inside a machine's namespace. */
export function machineLines(topology: Topology, machine: MachineSpace): readonly string[] {
  return [
    'link set dev lo up',
    ...machine.locals.map(
      (vip) => `address add ${vip.text}/${bits(vip.family)} dev lo${vip.family === 6 ? ' nodad' : ''}`,
    ),
    ...deviceLines(machine.device, machine.links, isOnSegment(topology, machine)),
  ];
}

/** `ip` lines inside the namespace of a balancer that is a machine on a segment. */
export function balancerLines(balancer: BalancerSpace): readonly string[] {
  return ['link set dev lo up', ...deviceLines('eth0', balancer.links, true)];
}

/**
 * On a routed network IPv6 neighbours are behind the router, as clouds do it (the prefix is not on-link), so there is no
 * need to answer neighbour solicitations for them; IPv4 has its usual subnet and the fabric answers ARP.
 */
function deviceLines(device: string, links: readonly MachineLink[], onSegment: boolean): readonly string[] {
  return [
    `link set dev ${device} up`,
    ...links.map(({ address, subnet }) => {
      const v6 = address.family === 6 ? ` nodad${onSegment ? '' : ' noprefixroute'}` : '';
      return `address add ${address.text}/${subnet.prefix} dev ${device}${v6}`;
    }),
    ...links.map(
      ({ gateway }) =>
        `route add ${gateway.family === 6 ? '::/0' : 'default'} via ${gateway.text} dev ${device} onlink`,
    ),
  ];
}
