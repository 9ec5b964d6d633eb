import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One process may look at several things at once. */
let uses = 0;

/**
 * A directory of this process below `root`, which goes with the last of them. What processes left there that were
 * killed is removed on the way: after a SIGKILL nobody else can.
 */
export async function openScratch(root: string): Promise<AsyncDisposable & { readonly dir: string }> {
  await mkdir(root, { recursive: true });
  for (const name of await readdir(root)) {
    if (!isRunning(Number(name))) await rm(join(root, name), { recursive: true, force: true });
  }
  uses += 1;
  const dir = join(root, String(process.pid), String(uses));
  await mkdir(dir, { recursive: true });
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true });
      await rmdir(join(root, String(process.pid))).catch(() => undefined);
      // Not empty while another process has its own in it.
      await rmdir(root).catch(() => undefined);
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
