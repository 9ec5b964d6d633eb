import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHierarchies } from './hierarchies.ts';

/**
 * Every lab that has a cgroup anywhere on this machine, with its directories: the caller of `lab down` may be in another
 * cgroup than the caller of `lab up` was, and the lab's own record may be missing. Does not look inside a lab, whose
 * nodes may hold labs of their own.
 */
export async function findLabCgroups(): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const mountPoint of await mountPoints()) {
    for (const hairpin of await findNamed(mountPoint, 'hairpin')) {
      for (const lab of await subdirectories(hairpin)) {
        found.set(lab, [...(found.get(lab) ?? []), join(hairpin, lab)]);
      }
    }
  }
  return found;
}

async function mountPoints(): Promise<readonly string[]> {
  const [own, mounts] = await Promise.all([
    readFile('/proc/self/cgroup', 'utf8'),
    readFile('/proc/self/mountinfo', 'utf8'),
  ]);
  return [...new Set(parseHierarchies(own, mounts).map((hierarchy) => hierarchy.mountPoint))];
}

async function findNamed(dir: string, name: string): Promise<readonly string[]> {
  const children = await subdirectories(dir);
  const below = await Promise.all(
    children.map(async (child) => (child === name ? [join(dir, child)] : await findNamed(join(dir, child), name))),
  );
  return below.flat();
}

async function subdirectories(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
