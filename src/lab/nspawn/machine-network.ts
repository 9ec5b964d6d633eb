import { ipBatch, type LabCommand, sysctls } from '../commands/command.ts';
import { attachLines, linkLines, proxyArp } from '../commands/fabric.ts';
import { nodeSettings } from '../commands/kernel-settings.ts';
import { machineLines } from '../commands/machine.ts';
import type { MachineSpace, Topology } from '../topology/topology.ts';

/** The part of the drawing's commands that is about one node, for when its namespace is new. */
export interface MachineNetwork {
  /** Makes the link to the fabric, which a node keeps as long as the lab has it. */
  readonly link: readonly LabCommand[];
  /** Everything else; may be run again. */
  readonly rest: readonly LabCommand[];
}

export function machineNetwork(topology: Topology, space: MachineSpace): MachineNetwork {
  const fabric = topology.fabric.netns;
  return {
    link: ipBatch(fabric, linkLines(space)),
    rest: [
      ...sysctls(space.netns, nodeSettings(topology, { sharesVip: space.locals.length > 0 })),
      ...ipBatch(fabric, attachLines(topology, space)),
      ...proxyArp({ ...topology, machines: [space] }),
      ...ipBatch(space.netns, machineLines(topology, space)),
    ],
  };
}
