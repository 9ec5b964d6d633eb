import { setTimeout as sleep } from 'node:timers/promises';
import { bits } from '../../std/address.ts';
import { ipBatch, type LabCommand } from '../commands/command.ts';
import { isOnSegment, reattach } from '../commands/fabric.ts';
import { runCommands } from '../runtime/context.ts';
import type { LabContext } from '../tier/tier.ts';
import type { MachineSpace, Topology } from '../topology/topology.ts';
import type { LabFault } from './fault.ts';
import { machineOf } from './machine-of.ts';

/** The cable is pulled: the machine sees its carrier go; for everybody else it has become silent. */
export const linkDownFault: LabFault = {
  name: 'link-down',
  summary: "the machine's network cable is pulled",
  target: 'node',

  async inject(cx) {
    await runCommands(cx.lab, 'the fault', pullCable(cx.lab.topology, machineOf(cx)));
    return {};
  },

  // Setting the link up is not enough: the kernel dropped the routes, and the IPv6 addresses, of the fabric's end.
  async heal(cx) {
    const machine = machineOf(cx);
    await cx.lab.run(['ip', '-n', cx.lab.topology.fabric.netns, 'link', 'del', 'dev', voidOf(machine)]);
    await runCommands(cx.lab, 'healing', reattach(cx.lab.topology, machine));
    await untilCarrier(cx.lab, machine);
  },
};

/** The kernel tells a machine of its carrier up to a second late, and IPv6 routes rest until then. */
async function untilCarrier(lab: LabContext, machine: MachineSpace): Promise<void> {
  const end = performance.now() + 5_000;
  while (performance.now() < end) {
    const { exitCode, stdout } = await lab.run([
      'ip',
      '-n',
      machine.netns,
      '-o',
      'link',
      'show',
      'dev',
      machine.device,
    ]);
    // A machine that is off has no such device.
    if (exitCode !== 0 || / state UP /.test(stdout)) return;
    await sleep(20, undefined, { signal: lab.signal });
  }
}

/**
 * Pure. A router whose route is gone says "unreachable", which no cloud does: so the addresses are led to a bridge
 * without ports, where packets vanish. Neighbours on a segment just get no answer to ARP.
 */
export function pullCable(topology: Topology, machine: MachineSpace): LabCommand[] {
  const { peer, links } = machine;
  const nowhere = voidOf(machine);
  const lines = isOnSegment(topology, machine)
    ? []
    : [
        `link add name ${nowhere} type bridge`,
        `link set dev ${nowhere} up`,
        ...links.flatMap(({ address }) => [
          `route replace ${address.text}/${bits(address.family)} dev ${nowhere}`,
          `neigh replace ${address.text} lladdr 02:00:00:00:00:01 dev ${nowhere} nud permanent`,
        ]),
      ];
  return ipBatch(topology.fabric.netns, [`link set dev ${peer} down`, ...lines]);
}

function voidOf(machine: MachineSpace): string {
  return `void-${machine.peer}`;
}
