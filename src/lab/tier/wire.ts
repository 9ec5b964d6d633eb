import { readlink, stat } from 'node:fs/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { cgroupMembers } from '../cgroup/cgroup.ts';
import { startStandin } from '../standin/start.ts';
import { netnsPath } from '../topology/names.ts';
import type { MachineSpace } from '../topology/topology.ts';
import { namespaceExec } from './namespace-exec.ts';
import type { LabContext, MachineState, Tier } from './tier.ts';

/**
 * Machines are network namespaces; each master runs a small TLS stand-in for the apiserver. Comes up in about a second,
 * and is the real thing for everything that happens in the network.
 */
export const wireTier: Tier = {
  faults: [],

  async start(cx) {
    const masters = cx.topology.machines.filter(({ machine }) => machine.role === 'control-plane');
    await Promise.all(masters.map(({ machine }) => startStandin(cx, machine.name)));
  },

  async startMachine(cx, name) {
    const { machine } = find(cx, name);
    if (machine.role === 'control-plane') await startStandin(cx, name);
  },

  // There is no difference for a namespace: nothing in it could say goodbye.
  async stopMachine(cx, name) {
    for (const pid of await processesOf(cx, find(cx, name))) kill(pid);
  },

  execArgv: (cx, name, argv) => namespaceExec(cx, name, find(cx, name).netns, argv),

  async state(cx, name): Promise<MachineState> {
    const space = find(cx, name);
    if (space.machine.role !== 'control-plane') return 'running';
    return (await processesOf(cx, space)).length > 0 ? 'running' : 'off';
  },
};

/** The lab's processes that have this machine's network. */
export async function processesOf(cx: LabContext, machine: MachineSpace): Promise<readonly number[]> {
  const inode = (await stat(netnsPath(machine.netns))).ino;
  const members = [...(await cgroupMembers(cx.cgroups))];
  const spaces = await Promise.all(members.map((pid) => readlink(`/proc/${pid}/ns/net`).catch(() => '')));
  return members.filter((_, i) => spaces[i] === `net:[${inode}]`);
}

function find(cx: LabContext, name: string): MachineSpace {
  const found = cx.topology.machines.find(({ machine }) => machine.name === name);
  if (found !== undefined) return found;
  throw new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${cx.topology.spec.name}\` has no machine \`${name}\``, {
    hint: `it has ${cx.topology.machines.map(({ machine }) => machine.name).join(', ')}`,
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
