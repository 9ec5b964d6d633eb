import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A directory of this process below `root` for what compilers leave lying about when they are killed. Those of
 * processes that are gone are removed on the way.
 */
export async function openScratch(root: string): Promise<AsyncDisposable & { readonly dir: string }> {
  await mkdir(root, { recursive: true });
  for (const name of await readdir(root)) {
    if (!isRunning(Number(name))) await rm(join(root, name), { recursive: true, force: true });
  }
  const dir = join(root, String(process.pid));
  await mkdir(dir, { recursive: true });
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
