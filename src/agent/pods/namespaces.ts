import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where container runtimes bind the network namespaces of pods: containerd and CRI-O, and Docker. */
export const netnsDirs: readonly string[] = ['/run/netns', '/run/docker/netns'];

/**
 * Paths of all network namespaces but this process's own, each once: those bound in `dirs`, then those that only a process
 * holds. Processes that may not be looked into (more capabilities than we have) are passed over.
 */
export async function podNamespaces(dirs: readonly string[], proc = '/proc'): Promise<readonly string[]> {
  const bound = (await Promise.all(dirs.map(async (dir) => (await names(dir)).map((name) => join(dir, name))))).flat();
  const pids = (await names(proc)).filter((name) => /^\d+$/.test(name));
  const held = pids.map((pid) => join(proc, pid, 'ns/net'));
  const seen = new Set<number>();
  const own = await inode('/proc/self/ns/net');
  if (own !== undefined) seen.add(own);
  const found: string[] = [];
  for (const path of [...bound, ...held]) {
    const ino = await inode(path);
    if (ino === undefined || seen.has(ino)) continue;
    seen.add(ino);
    found.push(path);
  }
  return found;
}

async function names(dir: string): Promise<readonly string[]> {
  return await readdir(dir).catch(() => []);
}

async function inode(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.ino;
}
