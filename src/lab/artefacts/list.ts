import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from '../paths.ts';
import { isComplete, looksUnchanged, readManifest } from './manifest.ts';
import { compareReleases } from './version.ts';

/** A version that is in the cache, whole or not. */
export interface CachedArtefacts {
  readonly version: string;
  readonly arch: string;
  readonly dir: string;
  /** Whether a lab can start from it without getting or making anything. */
  readonly complete: boolean;
  readonly files: number;
  readonly bytes: number;
}

export async function listArtefacts(opts: { readonly cache?: string } = {}): Promise<readonly CachedArtefacts[]> {
  const root = join(opts.cache ?? cacheDir(), 'artefacts');
  const names = await readdir(root).catch(() => []);
  const found = await Promise.all(names.map((name) => describe(join(root, name))));
  return found.flatMap((one) => one ?? []).toSorted((a, b) => compareReleases(a.version, b.version));
}

async function describe(dir: string): Promise<CachedArtefacts | undefined> {
  const manifest = await readManifest(dir);
  if (manifest === undefined) return undefined;
  const files = Object.entries(manifest.files);
  const unchanged = await Promise.all(files.map(([path, entry]) => looksUnchanged(dir, path, entry)));
  return {
    version: manifest.version,
    arch: manifest.arch,
    dir,
    complete: isComplete(manifest) && unchanged.every(Boolean),
    files: unchanged.filter(Boolean).length,
    bytes: files.reduce((sum, [, entry]) => sum + entry.size, 0),
  };
}
