import { setTimeout as sleep } from 'node:timers/promises';
import { destroyCgroups } from '../cgroup/cgroup.ts';
import { mustRun } from '../runtime/context.ts';
import type { LabContext } from '../tier/tier.ts';
import type { MachineSpace } from '../topology/topology.ts';
import { findKeeper, forgetKeeper } from './boot.ts';
import { enterNode } from './enter.ts';
import { machineCgroups, machineDirs } from './machine-dirs.ts';
import { silence } from './network-script.ts';
import { findPid1 } from './pid1.ts';

/** How long systemd may take to stop its services; a kubelet with pods takes a few seconds. */
const shutdownTimeout = 60_000;

/**
 * Powers a node off and leaves its network silent and empty. `power-off` says no goodbye: the node's first process is
 * killed, and with it, in the kernel and at once, all others; no connection is closed on the wire.
 */
export async function haltMachine(cx: LabContext, space: MachineSpace, how: 'power-off' | 'shutdown'): Promise<void> {
  const { name } = space.machine;
  const cgroups = machineCgroups(cx, name);
  // Before the sockets go: a dying process closes its connections, and the peer must not hear of it.
  if (how === 'power-off') await quiet(cx, space);
  else await shutDown(cx, name, cgroups);
  const keeper = await findKeeper(cx, name);
  // First, or it would take the end for a reboot.
  if (keeper !== undefined) kill(keeper.pid);
  const pid1 = findPid1(cgroups);
  if (pid1 !== undefined) kill(pid1);
  await destroyCgroups(cgroups);
  await forgetKeeper(cx, name);
  await mustRun(cx, `network of ${name}`, ['sh', machineDirs(cx.paths, name).networkScript, 'off']);
}

async function quiet(cx: LabContext, space: MachineSpace): Promise<void> {
  const { argv, stdin } = silence(space);
  await mustRun(cx, `network of ${space.machine.name}`, argv, stdin === undefined ? {} : { stdin });
}

/** Resolves when the node and its keeper have ended, or have taken too long. */
async function shutDown(cx: LabContext, machine: string, cgroups: readonly string[]): Promise<void> {
  const pid1 = findPid1(cgroups);
  if (pid1 === undefined) return;
  await cx.run(enterNode(cgroups, pid1, ['systemctl', 'poweroff']), { timeout: 10_000 }).catch(() => undefined);
  const until = performance.now() + shutdownTimeout;
  while ((await findKeeper(cx, machine)) !== undefined && performance.now() < until) {
    await sleep(50, undefined, { signal: cx.signal }).catch(() => cx.signal.throwIfAborted());
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
