import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';

/** One entry of an image's only layer. Paths have no leading slash. */
export type LayerEntry =
  | { readonly kind: 'file'; readonly path: string; readonly from: string; readonly mode: number }
  | { readonly kind: 'text'; readonly path: string; readonly text: string; readonly mode: number }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export interface ImageSpec {
  /** Every name the image gets, each with its tag. */
  readonly ref: string;
  readonly arch: string;
  readonly entrypoint: readonly string[];
  readonly layer: readonly LayerEntry[];
}

/**
 * Writes a docker-archive (what `docker save` writes and `ctr images import` reads) with one layer. The same inputs
 * give the same bytes: all times are zero and entries keep their order.
 */
export async function writeImageTar(image: ImageSpec, path: string, signal: AbortSignal): Promise<void> {
  const layer = `${path}.layer`;
  const part = `${path}.part`;
  try {
    const diffId = await writeLayer(image.layer, layer, signal);
    await writeArchive(image, layer, diffId, part, signal);
    await rename(part, path);
  } finally {
    await rm(layer, { force: true });
    await rm(part, { force: true });
  }
}

async function writeLayer(entries: readonly LayerEntry[], path: string, signal: AbortSignal): Promise<string> {
  const tar = pack();
  const hash = createHash('sha256');
  const written = pipeline(
    tar,
    async function* hashed(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
    { signal },
  );
  await Promise.all([written, addEntries(tar, entries)]);
  return hash.digest('hex');
}

async function writeArchive(image: ImageSpec, layer: string, diffId: string, path: string, signal: AbortSignal) {
  const config = JSON.stringify({
    architecture: image.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: image.entrypoint,
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'hairpin lab artefacts' }],
  });
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [image.ref], Layers: [`${diffId}/layer.tar`] }]);
  const tar = pack();
  const written = pipeline(tar, createWriteStream(path), { signal });
  const add = addEntries(tar, [
    { kind: 'text', path: configName, text: config, mode: 0o644 },
    { kind: 'file', path: `${diffId}/layer.tar`, from: layer, mode: 0o644 },
    { kind: 'text', path: 'manifest.json', text: manifest, mode: 0o644 },
  ]);
  await Promise.all([written, add]);
}

async function addEntries(tar: Pack, entries: readonly LayerEntry[]): Promise<void> {
  try {
    for (const entry of entries) await addEntry(tar, entry);
    tar.finalize();
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

async function addEntry(tar: Pack, entry: LayerEntry): Promise<void> {
  const common = { name: entry.path, mtime: new Date(0), uid: 0, gid: 0 };
  switch (entry.kind) {
    case 'text':
      tar.entry({ ...common, mode: entry.mode }, entry.text);
      return;
    case 'directory':
      tar.entry({ ...common, name: `${entry.path}/`, type: 'directory', mode: entry.mode });
      return;
    case 'link':
      tar.entry({ ...common, type: 'symlink', linkname: entry.target, mode: 0o777 });
      return;
    case 'file': {
      const { size } = await stat(entry.from);
      await pipeline(
        createReadStream(entry.from, { highWaterMark: 1 << 20 }),
        tar.entry({ ...common, mode: entry.mode, size }),
      );
    }
  }
}
