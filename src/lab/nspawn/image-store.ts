import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Emit } from '../../report/event.ts';
import type { Artefacts } from '../artefacts/artefacts.ts';
import { takeLock } from '../cache/lock.ts';
import { runTool } from '../cache/process.ts';
import { requireSpace } from '../cache/space.ts';
import { timedTask } from '../cache/timed-task.ts';
import { stateDir } from '../paths.ts';
import { linkTree } from './copy-tree.ts';

const script = fileURLToPath(new URL('./fill-store.sh', import.meta.url));

/** Measured: seven images into one store. */
const estimate = 7_000;
const needBytes = 1_400_000_000;

/**
 * A `/var/lib/containerd` with the images of one version in it, imported once. Every node gets a clone of it: importing
 * them into four nodes takes 15 s and four times the space. Kept where labs are, not in the cache: hard links do not cross
 * file systems.
 */
export async function ensureImageStore(
  artefacts: Artefacts,
  opts: { emit: Emit; signal: AbortSignal },
): Promise<string> {
  const root = join(stateDir(), 'image-stores');
  const store = join(root, storeId(artefacts));
  if (await isThere(store)) return store;
  await using _lock = await takeLock(join(root, 'lock'), `import the images of ${artefacts.version}`, opts);
  if (await isThere(store)) return store;
  await requireSpace(root, needBytes, 'the container images');
  const making = join(root, '.making');
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  const count = artefacts.images.length;
  await timedTask(
    opts.emit,
    { task: 'images', title: `container images of ${artefacts.version}`, estimate },
    async (progress) => {
      let done = 0;
      const bin = join(artefacts.binaries.containerd, '..');
      await runTool(['sh', script, bin, making, ...artefacts.images.map(({ file }) => file)], {
        signal: opts.signal,
        ownMounts: true,
        onLine: (line) => {
          if (!line.startsWith('imported ')) return;
          done += 1;
          progress(line, done, count);
        },
        fails: {
          code: 'ARTEFACT_BUILD_FAILED',
          message: `Cannot import the container images of ${artefacts.version}`,
        },
      });
      await rename(join(making, 'store'), store);
    },
    () => `${count} images`,
  );
  await rm(making, { recursive: true, force: true });
  return store;
}

/**
 * Gives a node its own store. Layers and blobs are never written in place by containerd (an overlay copies up, a blob is
 * replaced), so they are shared as hard links; its databases are, so they are copied.
 */
export async function cloneStore(store: string, to: string, opts: { signal?: AbortSignal } = {}): Promise<void> {
  await linkTree(store, to, opts);
  for (const path of await databases(store)) {
    await rm(join(to, path));
    await copyFile(join(store, path), join(to, path));
  }
}

/** bbolt files; everything else in a store is content that is named by its hash, or an unpacked layer. */
export async function databases(store: string): Promise<readonly string[]> {
  const plugins = await readdir(store);
  const found = await Promise.all(
    plugins.map(async (plugin) => {
      const entries = await readdir(join(store, plugin)).catch(() => []);
      return entries.filter((name) => name.endsWith('.db')).map((name) => join(plugin, name));
    }),
  );
  return found.flat().toSorted();
}

function storeId(artefacts: Artefacts): string {
  const sums = artefacts.images.map(({ ref, file }) => [ref, artefacts.checksums[`images/${file.split('/').at(-1)}`]]);
  const hash = createHash('sha256').update(JSON.stringify(['1', sums, artefacts.checksums['bin/containerd']]));
  return `${artefacts.version}-${artefacts.arch}-${hash.digest('hex').slice(0, 12)}`;
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
