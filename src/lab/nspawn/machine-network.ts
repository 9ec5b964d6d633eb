import { ipBatch, type LabCommand, sysctls } from '../commands/command.ts';
import { attachLines, linkLines, proxyArp } from '../commands/fabric.ts';
import { nodeSettings } from '../commands/kernel-settings.ts';
import { machineLines } from '../commands/machine.ts';
import type { MachineSpace, Topology } from '../topology/topology.ts';

/** The part of the drawing's commands that is about one node, to be run when its namespace is new and empty. */
export function machineNetwork(topology: Topology, space: MachineSpace): LabCommand[] {
  const fabric = topology.fabric.netns;
  return [
    ...sysctls(space.netns, nodeSettings(topology, { sharesVip: space.locals.length > 0 })),
    ...ipBatch(fabric, [...linkLines(space), ...attachLines(topology, space)]),
    ...proxyArp({ ...topology, machines: [space] }),
    ...ipBatch(space.netns, machineLines(topology, space)),
  ];
}
