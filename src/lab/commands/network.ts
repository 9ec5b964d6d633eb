import type { MachineSpace, Topology } from '../topology/topology.ts';
import { type Batch, ipBatch, type LabCommand, nft, sysctls } from './command.ts';
import { attachLines, fabricLines, linkLines, proxyArp, segmentBridge } from './fabric.ts';
import { clientSettings, nodeSettings, plainBridgeSettings, routerSettings } from './kernel-settings.ts';
import { balancerLines, machineLines } from './machine.ts';
import { podHostLines, podLines, podMasquerade } from './pod.ts';

/** The peer, in the fabric, of a balancer that is a machine on a segment. */
const balancerPeer = 'lb';

/**
 * Everything that makes the network of a lab, as commands. Links are made from inside the lab's namespaces, so nothing
 * of it is ever seen in the caller's own.
 */
export function networkCommands(topology: Topology): readonly Batch[] {
  return [
    {
      title: 'namespaces',
      commands: ipBatch(
        undefined,
        netnsNames(topology).map((name) => `netns add ${name}`),
      ),
    },
    { title: 'kernel settings', commands: settings(topology) },
    { title: 'fabric', commands: ipBatch(topology.fabric.netns, wholeFabric(topology)) },
    { title: 'machines', commands: [...proxyArp(topology), ...balancer(topology), ...machines(topology)] },
    { title: 'links of pods', commands: podLinks(topology) },
    { title: 'pods', commands: pods(topology) },
  ].filter((batch) => batch.commands.length > 0);
}

/** Every namespace of the lab. */
export function netnsNames(topology: Topology): readonly string[] {
  return [
    ...new Set([
      topology.fabric.netns,
      topology.balancer.netns,
      ...topology.machines.map((machine) => machine.netns),
      ...topology.pods.map((pod) => pod.netns),
    ]),
  ];
}

function settings(topology: Topology): LabCommand[] {
  const router = routerSettings(topology);
  const onSegment = topology.balancer.netns !== topology.fabric.netns;
  return [
    ...sysctls(topology.fabric.netns, router),
    ...(onSegment
      ? [
          ...sysctls(topology.balancer.netns, router),
          ...sysctls(topology.fabric.netns, plainBridgeSettings, { optional: true }),
        ]
      : []),
    ...topology.machines.flatMap((machine) => {
      const isClient = machine.machine.role === 'client';
      const sharesVip = machine.locals.length > 0;
      return sysctls(machine.netns, isClient ? clientSettings(topology) : nodeSettings(topology, { sharesVip }));
    }),
    ...topology.pods.flatMap((pod) => sysctls(pod.netns, clientSettings(topology))),
  ];
}

function wholeFabric(topology: Topology): readonly string[] {
  const onSegment = topology.balancer.netns !== topology.fabric.netns;
  return [
    ...fabricLines(topology),
    ...(onSegment
      ? [
          `link add name ${balancerPeer} type veth peer name eth0 netns ${topology.balancer.netns}`,
          `link set dev ${balancerPeer} master ${segmentBridge} up`,
        ]
      : []),
    ...topology.machines.flatMap(linkLines),
    ...topology.machines.flatMap((machine) => attachLines(topology, machine)),
  ];
}

function balancer(topology: Topology): LabCommand[] {
  const { netns, links } = topology.balancer;
  return links.length === 0 ? [] : ipBatch(netns, balancerLines(topology.balancer));
}

function machines(topology: Topology): LabCommand[] {
  return topology.machines.flatMap((machine) => ipBatch(machine.netns, machineLines(topology, machine)));
}

/** The node's side, which makes both ends of the pod's link. */
function podLinks(topology: Topology): LabCommand[] {
  return topology.pods.flatMap((pod) => {
    const node = nodeOf(topology, pod.node);
    return [...ipBatch(node.netns, podHostLines(pod, node)), nft(node.netns, podMasquerade(node))];
  });
}

function pods(topology: Topology): LabCommand[] {
  return topology.pods.flatMap((pod) => ipBatch(pod.netns, podLines(pod, nodeOf(topology, pod.node))));
}

function nodeOf(topology: Topology, name: string): MachineSpace {
  const found = topology.machines.find((machine) => machine.machine.name === name);
  if (found === undefined) throw new RangeError(`The topology has no node ${name}`);
  return found;
}
