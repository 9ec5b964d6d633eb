import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { writeAtomic } from '../cache/write-atomic.ts';

/** Raised when what is made from the same versions changes: everything older is then made again. */
export const recipeRevision = 1;

/** Raised when other things go into images that are made from the same binaries: only the images are then made again. */
export const imagesRevision = 3;

const entrySchema = z.object({
  /** What the file was made from; another key means that it has to be made again. */
  key: z.string(),
  sha256: z.string(),
  size: z.number(),
  mtimeMs: z.number(),
  source: z.string(),
  ms: z.number(),
});
export type ManifestEntry = z.infer<typeof entrySchema>;

const manifestSchema = z.object({
  version: z.string(),
  arch: z.string(),
  recipe: z.number(),
  /** Set when everything is there: images in kubeadm's order with their files. */
  images: z.array(z.object({ ref: z.string(), file: z.string() })).optional(),
  /** Of the program that made the images. */
  imagesRevision: z.number().optional(),
  /** By path below the directory: `bin/kubeadm`, `images/etcd.tar`. */
  files: z.record(z.string(), entrySchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

const fileName = 'manifest.json';

/** `undefined` where there is none that this program can use. */
export async function readManifest(dir: string): Promise<Manifest | undefined> {
  const text = await readFile(join(dir, fileName), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.recipe === recipeRevision ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Whether everything was there when the manifest was written, made as this program makes it. */
export function isComplete(manifest: Manifest): boolean {
  return manifest.images !== undefined && manifest.imagesRevision === imagesRevision;
}

export async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  await writeAtomic(join(dir, fileName), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Whether the file is still the one that was recorded, as far as its size and time tell. */
export async function looksUnchanged(dir: string, path: string, entry: ManifestEntry): Promise<boolean> {
  const found = await stat(join(dir, path)).catch(() => undefined);
  return found !== undefined && found.size === entry.size && Math.abs(found.mtimeMs - entry.mtimeMs) < 1;
}

export async function describeFile(
  dir: string,
  path: string,
  made: { readonly key: string; readonly source: string; readonly ms: number },
): Promise<ManifestEntry> {
  const { size, mtimeMs } = await stat(join(dir, path));
  return { ...made, ms: Math.round(made.ms), sha256: await sha256(join(dir, path)), size, mtimeMs };
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
