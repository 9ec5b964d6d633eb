import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { OperatorError } from '../errors/operator-error.ts';
import { type BundleManifest, checksumsOf, membersOf, parseManifest } from './manifest.ts';
import { blockSize, parseTarHeader, tarPadding } from './tar.ts';

/** Reads the manifest alone: the first kilobytes of the file. */
export async function readBundleManifest(path: string): Promise<BundleManifest> {
  return await withReader(path, (reader) => reader.manifest());
}

/** The same of a bundle that is in memory. */
export async function manifestOfBytes(bytes: Uint8Array, path: string): Promise<BundleManifest> {
  return await withReader(path, (reader) => reader.manifest(), Readable.from([bytes]));
}

/** Reads everything and compares every checksum; throws `BUNDLE_DAMAGED` with the first member that is not what it was. */
export async function verifyBundle(path: string): Promise<BundleManifest> {
  return await withReader(path, async (reader) => {
    const manifest = await reader.manifest();
    const sums = Buffer.from(await reader.text('SHA256SUMS'));
    if (sums.toString() !== checksumsOf(manifest)) throw damaged(path, 'its checksums are not those of its manifest');
    for (const member of membersOf(manifest)) {
      const entry = await reader.next();
      if (entry === 'end' || entry.name !== member.name || entry.size !== member.size || entry.mode !== member.mode) {
        throw damaged(path, `${member.name} is missing or has another size`);
      }
      const hash = createHash('sha256');
      for await (const chunk of reader.body(entry.size)) hash.update(chunk);
      if (hash.digest('hex') !== member.sha256) throw damaged(path, `${member.name} is not what its checksum says`);
    }
    if ((await reader.next()) !== 'end') throw damaged(path, 'it has more in it than its manifest says');
    return manifest;
  });
}

async function withReader<T>(path: string, use: (reader: Reader) => Promise<T>, source?: Readable): Promise<T> {
  const input = source ?? createReadStream(path, { highWaterMark: 1 << 20 });
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  input.on('error', (error) => gunzip.destroy(error));
  try {
    return await use(new Reader(input.pipe(gunzip), path));
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    if (/^E[A-Z]+$/.test(code)) {
      throw new OperatorError('FILE_MISSING', `Cannot read the bundle ${path}`, {
        cause: error,
        hint: 'make one: hairpin bundle create',
      });
    }
    throw damaged(path, String(error));
  } finally {
    gunzip.destroy();
    input.destroy();
  }
}

function damaged(path: string, cause: string): OperatorError {
  return new OperatorError('BUNDLE_DAMAGED', `${path} is no bundle that can be used`, {
    cause,
    hint: 'copy it again, or make it anew: hairpin bundle create',
  });
}

/** Members of the archive, one after the other. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #path: string;
  #rest: Uint8Array = new Uint8Array();

  constructor(stream: AsyncIterable<Uint8Array>, path: string) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#path = path;
  }

  async manifest(): Promise<BundleManifest> {
    const manifest = parseManifest(await this.text('manifest.json'));
    if (manifest === undefined) {
      throw damaged(this.#path, 'its manifest.json is not one that this hairpin understands');
    }
    return manifest;
  }

  async text(name: string): Promise<string> {
    const entry = await this.next();
    if (entry === 'end' || entry.name !== name || entry.size > 16 << 20) {
      throw damaged(this.#path, `${name} is not where it should be`);
    }
    const parts: Uint8Array[] = [];
    for await (const chunk of this.body(entry.size)) parts.push(chunk);
    return Buffer.concat(parts).toString('utf8');
  }

  async next() {
    const parts: Uint8Array[] = [];
    for await (const chunk of this.#take(blockSize)) parts.push(chunk);
    const entry = parseTarHeader(Buffer.concat(parts));
    if (entry === undefined) throw damaged(this.#path, 'it is not a tar archive of plain files');
    return entry;
  }

  async *body(size: number): AsyncGenerator<Uint8Array> {
    yield* this.#take(size);
    for await (const _ of this.#take(tarPadding(size).length));
  }

  async *#take(count: number): AsyncGenerator<Uint8Array> {
    let left = count;
    while (left > 0) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done === true) throw damaged(this.#path, 'it ends too early');
        this.#rest = value;
      }
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }
}
