import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { parseHierarchies } from './hierarchies.ts';

/**
 * The cgroups of a lab: one directory `…/hairpin/LAB` below the caller's own cgroup in every hierarchy of this machine
 * (version 1, hybrid and 2 alike). A lab is what is in them: `lab down` kills by membership, so it finds every process
 * whatever happened to `lab up`, and never one that the lab did not start.
 *
 * Being nested, the caller's own limits and accounting hold for the lab.
 */
export async function labCgroups(lab: string): Promise<readonly string[]> {
  const [own, mounts] = await Promise.all([
    readFile('/proc/self/cgroup', 'utf8'),
    readFile('/proc/self/mountinfo', 'utf8'),
  ]);
  return parseHierarchies(own, mounts).map((hierarchy) => join(hierarchy.own, 'hairpin', lab));
}

/** Makes the directories, with cpuset filled in (a v1 cpuset without CPUs takes no process). Making them again is fine. */
export async function createCgroups(dirs: readonly string[]): Promise<void> {
  if (dirs.length === 0) throw unusable('no cgroup hierarchy is mounted');
  await Promise.all(
    dirs.map(async (dir) => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await mkdir(dir, { recursive: true });
          await fillCpuset(dir);
          return;
        } catch (cause) {
          // Another lab's end may remove the `hairpin` directory between our mkdir of it and of what is below.
          if (attempt >= 5) throw unusable(`cannot make ${dir}`, cause);
        }
      }
    }),
  );
}

/**
 * The argv that runs `argv` inside the cgroups. The shell moves itself and becomes the command, so no process exists
 * outside of them for a moment; once the directories are gone it ends with 125 and the command is never started.
 */
export function enterArgv(dirs: readonly string[], argv: readonly string[]): readonly string[] {
  const script = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done 2>/dev/null; shift; exec "$@"';
  return ['sh', '-c', script, 'hairpin-lab', ...dirs.map((dir) => join(dir, 'cgroup.procs')), '--', ...argv];
}

/** Every process in these cgroups and below. */
export async function cgroupMembers(dirs: readonly string[]): Promise<Set<number>> {
  const members = new Set<number>();
  for (const dir of await withChildren(dirs)) {
    const text = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
    for (const line of text.split('\n')) if (line !== '' && line !== '0') members.add(Number(line));
  }
  return members;
}

/**
 * Kills everything in these cgroups and waits until they are empty. A process that forks while it is being killed
 * leaves a child in the same cgroup, so this repeats until a look finds nobody.
 */
export async function killCgroups(dirs: readonly string[], opts: { deadline?: number } = {}): Promise<void> {
  const until = performance.now() + (opts.deadline ?? 10_000);
  for (let round = 0; ; round += 1) {
    const members = await cgroupMembers(dirs);
    members.delete(process.pid);
    if (members.size === 0) return;
    for (const pid of members) kill(pid);
    if (performance.now() > until) {
      throw new OperatorError('LAB_NOT_SWEPT', `Cannot end the lab's processes ${[...members].join(', ')}`, {
        cause: 'they are still there after SIGKILL, most likely waiting for a disk',
        hint: 'run the same command again; if it stays so, look at them with `ps -o pid,stat,wchan,args -p`',
      });
    }
    await sleep(Math.min(5 * 2 ** round, 100));
  }
}

/**
 * Kills everything in these cgroups and removes them, deepest first, and `hairpin` above them when it is empty. Somebody
 * may still be starting processes in there (an `up` or an `exec` that has not noticed): those are killed as well, and
 * once one directory is gone nobody can enter any more.
 */
export async function destroyCgroups(dirs: readonly string[], opts: { deadline?: number } = {}): Promise<void> {
  const until = performance.now() + (opts.deadline ?? 10_000);
  for (let round = 0; ; round += 1) {
    await killCgroups(dirs, opts);
    const busy = await removeAll((await withChildren(dirs)).toReversed());
    if (busy === undefined) break;
    if (performance.now() > until) {
      throw new OperatorError('LAB_NOT_SWEPT', `Cannot remove the cgroup ${busy.dir}`, { cause: busy.cause });
    }
    // The kernel counts a killed process until it is reaped, which is up to its parent.
    await sleep(Math.min(2 ** round, 50));
  }
  for (const above of dirs.map((dir) => dirname(dir))) {
    if (basename(above) === 'hairpin') await rmdir(above).catch(() => undefined);
  }
}

/** The first directory that could not be removed, after trying all. */
async function removeAll(
  dirs: readonly string[],
): Promise<{ readonly dir: string; readonly cause: unknown } | undefined> {
  let busy: { readonly dir: string; readonly cause: unknown } | undefined;
  for (const dir of dirs) {
    await rmdir(dir).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') busy ??= { dir, cause };
    });
  }
  return busy;
}

/** The directories that exist, each before what is below it. */
async function withChildren(dirs: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const dir of dirs) {
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) continue;
    const children = entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
    found.push(dir, ...(await withChildren(children)));
  }
  return found;
}

/** A v1 cpuset starts empty; `clone_children` fills those that a node makes below. */
async function fillCpuset(dir: string): Promise<void> {
  const above = join(dir, '..');
  const isCpuset = await access(join(dir, 'cpuset.cpus')).then(
    () => true,
    () => false,
  );
  const isV2 = await access(join(dir, 'cgroup.controllers')).then(
    () => true,
    () => false,
  );
  if (!isCpuset || isV2) return;
  const filled = (await readFile(join(dir, 'cpuset.cpus'), 'utf8')).trim();
  if (filled === '') {
    if ((await readFile(join(above, 'cpuset.cpus'), 'utf8')).trim() === '') await fillCpuset(above);
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      await writeFile(join(dir, file), await readFile(join(above, file), 'utf8'));
    }
  }
  await writeFile(join(dir, 'cgroup.clone_children'), '1');
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

function unusable(why: string, cause?: unknown): OperatorError {
  return new OperatorError('HOST_UNFIT', `Cannot use the cgroups of this machine: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'the lab needs root and a writable /sys/fs/cgroup; `hairpin lab doctor` says what else',
  });
}
