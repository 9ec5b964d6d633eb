import { readFile, readlink, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { cgroupMembers } from '../cgroup/cgroup.ts';
import { identify, type ProcessId } from '../runtime/process-id.ts';
import type { LabContext } from '../tier/tier.ts';
import { netnsPath } from '../topology/names.ts';
import type { MachineSpace } from '../topology/topology.ts';
import type { FaultContext } from './fault.ts';
import { machineOf } from './machine-of.ts';

export interface MachineProcess extends ProcessId {
  /** What it goes by: the program's name, the kernel's (15 letters of it), and what the tier calls it. */
  readonly names: readonly string[];
}

/**
 * The lab's processes that have a machine's network: all of a namespace, and of a booted node all but its pods that are
 * not on the host network.
 */
export async function processesOf(cx: LabContext, machine: MachineSpace): Promise<readonly MachineProcess[]> {
  const inode = (await stat(netnsPath(machine.netns))).ino;
  const found = [...(await cgroupMembers(cx.cgroups))].map(async (pid): Promise<MachineProcess[]> => {
    const netns = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
    if (netns !== `net:[${inode}]`) return [];
    const [id, comm, cmdline] = await Promise.all([
      identify(pid),
      readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''),
      readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    ]);
    if (id === undefined) return [];
    return [{ ...id, names: namesOf(comm.trim(), cmdline.split('\0')) }];
  });
  return (await Promise.all(found)).flat();
}

/** The processes that a fault names, if there are any. */
export async function namedProcesses(cx: FaultContext): Promise<readonly MachineProcess[]> {
  const all = await processesOf(cx.lab, machineOf(cx));
  return all.filter(({ names }) => names.includes(cx.process ?? ''));
}

/** The processes that a fault names; none is an error that says which there are. */
export async function wantedProcesses(cx: FaultContext): Promise<readonly MachineProcess[]> {
  const machine = machineOf(cx);
  const all = await processesOf(cx.lab, machine);
  const wanted = cx.process ?? '';
  const found = all.filter(({ names }) => names.includes(wanted));
  if (found.length > 0) return found;
  const known = [...new Set(all.flatMap(({ names }) => names.slice(0, 1)))].toSorted();
  throw new OperatorError('LAB_NAME_UNKNOWN', `No process \`${wanted}\` runs on ${cx.target}`, {
    hint: known.length === 0 ? 'nothing runs there' : `there is ${known.join(', ')}`,
  });
}

/** Sends a signal to those that are still the same processes. */
export async function signalAll(ids: readonly ProcessId[], name: NodeJS.Signals): Promise<void> {
  for (const id of ids) {
    if ((await identify(id.pid))?.started !== id.started) continue;
    try {
      process.kill(id.pid, name);
    } catch {
      // It has just ended.
    }
  }
}

/** Pure: the names that a person may call a process by. The stand-in of a wire-tier master plays its apiserver. */
export function namesOf(comm: string, cmdline: readonly string[]): readonly string[] {
  const script = cmdline.slice(1).find((word) => word.endsWith('.main.ts'));
  if (script?.endsWith('/standin.main.ts') === true) return ['kube-apiserver', comm];
  const program = basename(cmdline[0] ?? '');
  return [...new Set([program, comm].filter((name) => name !== ''))];
}
