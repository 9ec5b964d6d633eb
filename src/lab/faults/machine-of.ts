import { OperatorError } from '../../errors/operator-error.ts';
import type { MachineSpace } from '../topology/topology.ts';
import type { FaultContext } from './fault.ts';

/** The machine that a fault is aimed at. */
export function machineOf(cx: FaultContext): MachineSpace {
  const { machines, spec } = cx.lab.topology;
  const found = machines.find(({ machine }) => machine.name === cx.target);
  if (found !== undefined) return found;
  throw new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${spec.name}\` has no machine \`${cx.target}\``, {
    hint: `it has ${machines.map(({ machine }) => machine.name).join(', ')}`,
  });
}

/** The fabric's end of the machine's link. */
export function linkOf(cx: FaultContext): { readonly netns: string; readonly peer: string } {
  return { netns: cx.lab.topology.fabric.netns, peer: machineOf(cx).peer };
}
