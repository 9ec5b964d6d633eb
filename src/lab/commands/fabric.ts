import { type Address, bits, type Cidr, formatCidr } from '../../std/address.ts';
import type { MachineSpace, Topology } from '../topology/topology.ts';
import { ipBatch, type LabCommand, sysctls } from './command.ts';

/** The bridge of a segment, in the fabric's namespace; its own address is the segment's router. */
export const segmentBridge = 'seg';

/** `ip` lines that make the fabric's own addresses (and, for a segment, its bridge). */
export function fabricLines(topology: Topology): readonly string[] {
  const { spec, dns } = topology;
  if (topology.network === 'segment') {
    const gateways = topology.fabric.gateways.filter(({ subnet }) => spec.nodeSubnets.includes(subnet));
    return [
      'link set dev lo up',
      // No spanning tree and no forward delay: a port forwards at once.
      `link add name ${segmentBridge} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`,
      `link set dev ${segmentBridge} up`,
      ...gateways.map(({ subnet, address }) => addAddress(address, subnet.prefix, segmentBridge)),
      ...dns.addresses.map((address) => addAddress(address, bits(address.family), segmentBridge)),
    ];
  }
  return [
    'link set dev lo up',
    ...[...topology.balancer.addresses, ...dns.addresses].map((a) => addAddress(a, bits(a.family), 'lo')),
  ];
}

/** `ip` lines that link a machine to the fabric; the other end appears in the machine's namespace. */
export function linkLines(machine: MachineSpace): readonly string[] {
  return [`link add name ${machine.peer} type veth peer name ${machine.device} netns ${machine.netns}`];
}

/**
 * The fabric's side of a machine's link, without making it: also what brings it back after the link was down, because
 * the kernel drops routes and IPv6 addresses then.
 */
export function attachLines(topology: Topology, machine: MachineSpace): readonly string[] {
  const { peer } = machine;
  const onSegment = isOnSegment(topology, machine);
  const podRoutes = machine.podCidrs.flatMap((net) => {
    const via = machine.links.find((link) => link.subnet.base.family === net.base.family);
    if (via === undefined) return [];
    return [`route replace ${formatCidr(net)} via ${via.address.text} dev ${onSegment ? segmentBridge : peer} onlink`];
  });
  if (onSegment) return [`link set dev ${peer} master ${segmentBridge} up`, ...podRoutes];
  return [
    `link set dev ${peer} up`,
    ...machine.links.flatMap(({ address, gateway }) => [
      `address replace ${gateway.text}/${bits(gateway.family)} dev ${peer}${gateway.family === 6 ? ' nodad' : ''}`,
      `route replace ${address.text}/${bits(address.family)} dev ${peer}`,
    ]),
    ...podRoutes,
  ];
}

/**
 * All neighbours are reached through the fabric, which answers ARP for each (proxy ARP), at once and not after the
 * random delay of up to 0.8 s that the kernel gives proxies. IPv6 needs none of this: its subnet is not on-link.
 */
export function proxyArp(topology: Topology): LabCommand[] {
  const routed = topology.machines.filter((machine) => !isOnSegment(topology, machine));
  return sysctls(
    topology.fabric.netns,
    Object.fromEntries(
      routed.flatMap(({ peer }) => [
        [`net.ipv4.conf.${peer}.proxy_arp`, 1],
        [`net.ipv4.neigh.${peer}.proxy_delay`, 0],
      ]),
    ),
  );
}

/** Clients are a router hop away on both kinds of network. */
export function isOnSegment(topology: Topology, machine: MachineSpace): boolean {
  return topology.network === 'segment' && machine.machine.role !== 'client';
}

/** The whole fabric side of one machine, for a link that was down. */
export function reattach(topology: Topology, machine: MachineSpace): LabCommand[] {
  return ipBatch(topology.fabric.netns, attachLines(topology, machine));
}

function addAddress(address: Address, prefix: Cidr['prefix'], device: string): string {
  return `address add ${address.text}/${prefix} dev ${device}${address.family === 6 ? ' nodad' : ''}`;
}
