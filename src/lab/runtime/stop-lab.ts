import { access } from 'node:fs/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { destroyCgroups } from '../cgroup/cgroup.ts';
import { findLabCgroups } from '../cgroup/find.ts';
import { labPaths } from '../paths.ts';
import { labNamePattern } from '../topology/names.ts';
import { holderOf, stopHolder } from './lock.ts';
import { labNetns, removeNetns, removeTree } from './sweep.ts';

/**
 * Takes a lab down, whatever state it is in: running, half-made by an `up` that was killed, or still being made (that
 * `up` is stopped first). Needs no record of what was started: processes are found by cgroup, namespaces by name and
 * mounts by place. Gives false when there was nothing. May be called again, and by several at once.
 */
export async function stopLab(lab: string): Promise<boolean> {
  if (!labNamePattern.test(lab)) throw new OperatorError('USAGE', `\`${lab}\` cannot be the name of a lab`);
  const { root } = labPaths(lab);
  const [cgroups, netns, hasDirectory] = await Promise.all([
    findLabCgroups().then((all) => all.get(lab) ?? []),
    labNetns().then((all) => all.get(lab) ?? []),
    access(root).then(
      () => true,
      () => false,
    ),
  ]);
  if (cgroups.length === 0 && netns.length === 0 && !hasDirectory) return false;
  const holder = await holderOf(lab);
  // Killed first and removed, so that an `up` that goes on can start nothing: to run, a command must enter them.
  await destroyCgroups(cgroups);
  if (holder !== undefined && holder.pid !== process.pid) {
    await stopHolder(holder, { patience: 2_000 });
    await destroyCgroups((await findLabCgroups()).get(lab) ?? []);
  }
  await removeNetns(lab);
  await removeTree(root);
  return true;
}
