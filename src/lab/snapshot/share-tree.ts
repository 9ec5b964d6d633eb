import { chmod, chown, lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTree, linkTree } from '../nspawn/copy-tree.ts';

/** A tree in two parts: what it has in common with others, which is never written to, and what is its own. */
export interface SplitTree {
  readonly shared: string;
  readonly own: string;
}

/**
 * Splits `from`, which was cloned from `store`, into what it still has in common with it (files that are the same file;
 * kept as further names of it) and the rest, which is copied.
 */
export async function splitTree(
  from: string,
  store: string,
  to: SplitTree,
  opts: { signal?: AbortSignal },
): Promise<void> {
  await sameDirectory(from, to.shared);
  await sameDirectory(from, to.own);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    opts.signal?.throwIfAborted();
    const [mine, theirs] = [join(from, entry.name), join(store, entry.name)];
    const below = { shared: join(to.shared, entry.name), own: join(to.own, entry.name) };
    const [a, b] = [await lstat(mine), await lstat(theirs).catch(() => undefined)];
    if (entry.isDirectory() && b?.isDirectory() === true) await splitTree(mine, theirs, below, opts);
    else if (entry.isFile() && a.ino === b?.ino && a.dev === b.dev) await linkTree(mine, below.shared, opts);
    else await copyTree(mine, below.own, opts);
  }
}

/** Puts the two parts together again; the shared files are shared once more. */
export async function joinTree(from: SplitTree, to: string, opts: { signal?: AbortSignal }): Promise<void> {
  await linkTree(from.shared, to, opts);
  await copyTree(from.own, to, opts);
}

async function sameDirectory(like: string, dir: string): Promise<void> {
  const { mode, uid, gid } = await lstat(like);
  await mkdir(dir, { recursive: true });
  await chmod(dir, mode & 0o7777);
  await chown(dir, uid, gid);
}
