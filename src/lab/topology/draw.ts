import { type Address, addressAt, bits, type Cidr, formatCidr } from '../../std/address.ts';
import { addressPlan, reserved } from '../spec/defaults.ts';
import type { LabMachine, LabSpec } from '../spec/lab-spec.ts';
import { netnsName } from './names.ts';
import type { MachineLink, MachineSpace, PodSpace, Topology } from './topology.ts';

/** Draws the lab. Pure, and total for every spec that `resolveLab` lets through. */
export function drawTopology(spec: LabSpec): Topology {
  const space = (member: string) => netnsName(spec.name, member);
  const nodes = spec.machines.filter((machine) => machine.role !== 'client');
  const machines = spec.machines.map((machine) => drawMachine(spec, machine, nodes.indexOf(machine)));
  const fabric = space('fabric');
  const isSegment = spec.network === 'segment';
  const own = spec.nodeSubnets.map((net) => addressAt(net, reserved.balancer));
  return {
    spec,
    network: spec.network,
    fabric: {
      netns: fabric,
      gateways: [...spec.nodeSubnets, ...spec.clientSubnets].map((subnet) => ({ subnet, address: gatewayOf(subnet) })),
    },
    balancer: {
      netns: isSegment ? space('lb') : fabric,
      links: isSegment
        ? spec.nodeSubnets.map((subnet, i) => ({ subnet, address: own[i] as Address, gateway: gatewayOf(subnet) }))
        : [],
      addresses: own,
      vips: spec.endpoint.addresses,
    },
    machines,
    pods: spec.tier === 'wire' ? machines.flatMap((machine) => drawPod(spec, machine)) : [],
    dns: { netns: fabric, addresses: spec.nodeSubnets.map((net) => addressAt(net, reserved.dns)) },
  };
}

function drawMachine(spec: LabSpec, machine: LabMachine, nodeIndex: number): MachineSpace {
  const subnets = machine.role === 'client' ? spec.clientSubnets : spec.nodeSubnets;
  const isBackend = machine.role === 'control-plane';
  return {
    machine,
    netns: netnsName(spec.name, machine.name),
    device: 'eth0',
    peer: machine.name,
    links: machine.addresses.map((address): MachineLink => {
      const subnet = subnetOf(subnets, address);
      return { address, subnet, gateway: isBehindBalancer(spec, machine) ? balancerOf(subnet) : gatewayOf(subnet) };
    }),
    locals: spec.balancer.behaviour === 'local' && isBackend ? spec.endpoint.addresses : [],
    podCidrs: nodeIndex < 0 ? [] : spec.podSubnets.map((net) => podCidr(net, nodeIndex)),
  };
}

/** The servers of a one-arm balancer send replies to outside clients back through it; neighbours they answer directly. */
function isBehindBalancer(spec: LabSpec, machine: LabMachine): boolean {
  return spec.balancer.behaviour === 'one-arm' && machine.role !== 'client';
}

function drawPod(spec: LabSpec, node: MachineSpace): PodSpace[] {
  if (node.podCidrs.length === 0) return [];
  const name = `${node.machine.name}-pod`;
  return [
    {
      name,
      netns: netnsName(spec.name, name),
      node: node.machine.name,
      addresses: node.podCidrs.map((net) => addressAt(net, 2)),
      gateways: node.podCidrs.map((net) => addressAt(net, 1)),
    },
  ];
}

/** The share of the pod subnet that the node at `index` gets; the first share is the first node's. */
function podCidr(pods: Cidr, index: number): Cidr {
  const { family } = pods.base;
  const prefix = Math.max(addressPlan[family].podPrefix, pods.prefix);
  return { base: addressAt(pods, BigInt(index) << BigInt(bits(family) - prefix)), prefix };
}

function subnetOf(subnets: readonly Cidr[], address: Address): Cidr {
  const found = subnets.find((net) => net.base.family === address.family);
  if (found === undefined) throw new RangeError(`${address.text} is in none of ${subnets.map(formatCidr).join(', ')}`);
  return found;
}

const gatewayOf = (net: Cidr): Address => addressAt(net, reserved.gateway);
const balancerOf = (net: Cidr): Address => addressAt(net, reserved.balancer);
