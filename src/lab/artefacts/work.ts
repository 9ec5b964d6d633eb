import { join } from 'node:path';
import type { Emit } from '../../report/event.ts';
import {
  imagesRevision,
  looksUnchanged,
  type Manifest,
  type ManifestEntry,
  readManifest,
  recipeRevision,
  sha256,
  writeManifest,
} from './manifest.ts';
import type { ProxyTools } from './proxy-tools.ts';
import type { Source } from './source.ts';

/** What the makers of binaries and images share during one run. */
export interface Work {
  readonly cache: string;
  readonly dir: string;
  readonly version: string;
  readonly arch: string;
  readonly sources: readonly Source[];
  readonly tools: ProxyTools;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Files that are there and whole, by path below `dir`. */
  readonly files: ReadonlyMap<string, ManifestEntry>;
  /** Called when a file has its final name; the manifest on disk knows it from then on. */
  record(path: string, entry: ManifestEntry): Promise<void>;
  finish(images: NonNullable<Manifest['images']>): Promise<Manifest>;
}

export type WorkOptions = Pick<Work, 'cache' | 'dir' | 'version' | 'arch' | 'sources' | 'tools' | 'emit' | 'signal'> & {
  readonly verify?: boolean;
};

/** Begins where the last run stopped: with the recorded files that are still as they were. */
export async function openWork(opts: WorkOptions): Promise<Work> {
  const { dir, version, arch, emit } = opts;
  const files = new Map<string, ManifestEntry>();
  for (const [path, entry] of Object.entries((await readManifest(dir))?.files ?? {})) {
    const same = opts.verify === true ? await isUnchanged(dir, path, entry) : await looksUnchanged(dir, path, entry);
    if (same) files.set(path, entry);
    else emit({ kind: 'warning', text: `${join(dir, path)} is not what it was when it was made: making it again` });
  }
  const manifest = (): Manifest => ({ version, arch, recipe: recipeRevision, files: Object.fromEntries(files) });
  return {
    ...opts,
    files,
    async record(path, entry) {
      files.set(path, entry);
      await writeManifest(dir, manifest());
    },
    async finish(images) {
      const done = { ...manifest(), images, imagesRevision };
      await writeManifest(dir, done);
      return done;
    },
  };
}

/** Compares the checksum. The time is compared too: a file that was written to is not the one that was checked. */
async function isUnchanged(dir: string, path: string, entry: ManifestEntry): Promise<boolean> {
  if (!(await looksUnchanged(dir, path, entry))) return false;
  return (await sha256(join(dir, path))) === entry.sha256;
}
