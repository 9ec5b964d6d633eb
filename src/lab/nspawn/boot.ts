import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '../../errors/operator-error.ts';
import { createCgroups } from '../cgroup/cgroup.ts';
import { isAlive, type ProcessId } from '../runtime/process-id.ts';
import type { LabContext } from '../tier/tier.ts';
import type { MachineSpace } from '../topology/topology.ts';
import { machineCgroups, machineDirs } from './machine-dirs.ts';
import { readyFile } from './node-files.ts';
import { findPid1 } from './pid1.ts';

const keeper = fileURLToPath(new URL('./keeper.sh', import.meta.url));

// Measured: 1 s for one node alone; four on a machine that compiles at the same time take ten times that.
const bootTimeout = 90_000;

export const keeperName = (machine: string): string => `node-${machine}`;

/** Starts a node and waits until its sshd serves. `network` says whether its network was made a moment ago. */
export async function bootMachine(
  cx: LabContext,
  space: MachineSpace,
  lower: string,
  network: 'fresh' | 'used',
): Promise<void> {
  const { name } = space.machine;
  const dirs = machineDirs(cx.paths, name);
  const cgroups = machineCgroups(cx, name);
  await mkdir(dirs.root, { recursive: true });
  await createCgroups(cgroups);
  await cx.daemon(keeperName(name), ['sh', keeper, dirs.root, lower, space.netns, name, network, ...cgroups]);
  await untilReady(cx, name);
}

/** Resolves when sshd serves in the node; in another run of it than that of first process `not`, which is rebooting. */
export async function untilReady(cx: LabContext, machine: string, opts: { not?: unknown } = {}): Promise<void> {
  const until = performance.now() + bootTimeout;
  while (!(await isReady(cx, machine)) || findPid1(machineCgroups(cx, machine)) === opts.not) {
    cx.signal.throwIfAborted();
    const gone = !(await keeperLives(cx, machine));
    if (gone || performance.now() > until) throw await notBooted(cx, machine, gone);
    await sleep(50, undefined, { signal: cx.signal }).catch(() => cx.signal.throwIfAborted());
  }
}

export async function isReady(cx: LabContext, machine: string): Promise<boolean> {
  const pid = findPid1(machineCgroups(cx, machine));
  if (pid === undefined) return false;
  return await access(`/proc/${pid}/root${readyFile}`).then(
    () => true,
    () => false,
  );
}

/** The process that keeps the node, from whichever run of the program it was started. */
export async function findKeeper(cx: LabContext, machine: string): Promise<ProcessId | undefined> {
  const file = join(cx.paths.daemons, `${keeperName(machine)}.json`);
  const id = JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) as ProcessId | null;
  return id !== null && (await isAlive(id)) ? id : undefined;
}

export async function forgetKeeper(cx: LabContext, machine: string): Promise<void> {
  await rm(join(cx.paths.daemons, `${keeperName(machine)}.json`), { force: true });
}

async function keeperLives(cx: LabContext, machine: string): Promise<boolean> {
  return (await findKeeper(cx, machine)) !== undefined;
}

async function notBooted(cx: LabContext, machine: string, gone: boolean): Promise<OperatorError> {
  const log = join(cx.paths.logs, `${keeperName(machine)}.log`);
  const text = await readFile(log, 'utf8').catch(() => '');
  return new OperatorError(
    'LAB_NODE_DOWN',
    gone ? `Node ${machine} did not start` : `Node ${machine} did not serve ssh within ${bootTimeout / 1000} s`,
    {
      cause: plain(text).trim().split('\n').slice(-8).join('\n'),
      hint: `see ${log}; what this machine lacks: hairpin lab doctor`,
    },
  );
}

/** systemd writes colours to its console. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- that is what escape sequences begin with
  return text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
}
