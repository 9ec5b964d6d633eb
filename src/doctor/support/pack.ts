import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { NamedText } from '../logs/read.ts';

/** Writes texts as a tar.gz that only its owner may read. Names are those inside the archive. */
export async function packTexts(path: string, texts: readonly NamedText[], at: Date): Promise<void> {
  const archive = pack();
  const writing = pipeline(archive, createGzip(), createWriteStream(path, { mode: 0o600 }));
  for (const { name, text } of texts) archive.entry({ name, mode: 0o600, mtime: at }, text);
  archive.finalize();
  await writing;
}
