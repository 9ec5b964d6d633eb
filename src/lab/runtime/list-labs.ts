import { readdir } from 'node:fs/promises';
import { findLabCgroups } from '../cgroup/find.ts';
import { labsDir } from '../paths.ts';
import { holderOf } from './lock.ts';
import { readState } from './state.ts';
import { labNetns } from './sweep.ts';

/** `broken`: its `up` was killed, or somebody removed its directory. Only `lab down` helps. */
export type LabPhase = 'starting' | 'up' | 'broken';

export interface LabSummary {
  readonly name: string;
  readonly phase: LabPhase;
  readonly tier: string | undefined;
  readonly balancer: string | undefined;
  readonly machines: number;
  readonly startedAt: string | undefined;
}

/** Every lab that has left any trace on this machine. */
export async function labNames(): Promise<readonly string[]> {
  const [directories, netns, cgroups] = await Promise.all([
    readdir(labsDir()).catch(() => []),
    labNetns(),
    findLabCgroups(),
  ]);
  return [...new Set([...directories, ...netns.keys(), ...cgroups.keys()])].toSorted();
}

export async function listLabs(): Promise<readonly LabSummary[]> {
  return await Promise.all((await labNames()).map(summarize));
}

async function summarize(name: string): Promise<LabSummary> {
  const state = await readState(name).catch(() => undefined);
  return {
    name,
    phase: await phaseOf(name),
    tier: state?.spec.tier,
    balancer: state === undefined ? undefined : (state.spec.preset ?? state.spec.balancer.behaviour),
    machines: state?.spec.machines.length ?? 0,
    startedAt: state?.startedAt,
  };
}

async function phaseOf(name: string): Promise<LabPhase> {
  const state = await readState(name).catch(() => undefined);
  if (state?.phase === 'up') return 'up';
  return (await holderOf(name)) === undefined ? 'broken' : 'starting';
}
