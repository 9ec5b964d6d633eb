import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { tarEnd, tarHeader, tarPadding } from '../bundle/tar.ts';

export interface ProgramParts {
  readonly executable: string;
  readonly libraries: readonly { readonly name: string; readonly path: string }[];
}

/** Writes what a node gets. gzip: every system unpacks it. The same parts give the same bytes. */
export async function packProgram(parts: ProgramParts, path: string): Promise<void> {
  const members = await Promise.all(
    [
      { name: 'hairpin', mode: 0o755, from: parts.executable },
      ...parts.libraries.map((library) => ({ name: `lib/${library.name}`, mode: 0o755, from: library.path })),
    ].map(async ({ from, ...rest }) => ({ ...rest, bytes: await readFile(from) })),
  );
  const sums = members.map(({ name, bytes }) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`);
  const all = [{ name: 'SHA256SUMS', mode: 0o644, bytes: Buffer.from(sums.join('')) }, ...members];
  const tar = all.flatMap(({ name, mode, bytes }) => [
    tarHeader({ name, mode, size: bytes.length }),
    bytes,
    tarPadding(bytes.length),
  ]);
  await pipeline(Readable.from([...tar, tarEnd]), createGzip({ level: 6 }), createWriteStream(path));
}
