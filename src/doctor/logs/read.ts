import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { OperatorError } from '../../errors/operator-error.ts';
import type { LogEntry } from '../evidence.ts';
import { parseLog } from './parse.ts';

/** A file as it lies there, or a member of an archive (`ARCHIVE:MEMBER`). */
export interface NamedText {
  readonly name: string;
  readonly text: string;
  /** The node that it was copied from, where the folders say. */
  readonly node?: string;
}

/** Compressed logs of whole clusters are far below it; a bomb is not. */
const largest = 512 * 1024 * 1024;

/**
 * Reads files, folders (everything below), gzip and tar archives. Throws `OperatorError` for a path that cannot be read;
 * an archive's members that are not text are left out.
 */
export async function readTexts(paths: readonly string[]): Promise<readonly NamedText[]> {
  const found: NamedText[] = [];
  for (const path of paths) found.push(...(await readPath(path)));
  return found;
}

/** Entries of all of them, each with the file and line it stands in. */
export function entriesOf(texts: readonly NamedText[]): readonly LogEntry[] {
  return texts.flatMap(({ name, text, node }) => parseLog(text, { source: name, node }));
}

/** As support bundles have it. */
const memberNode = /(?:^|\/)logs\/([^/]+)\//;

async function readPath(path: string): Promise<readonly NamedText[]> {
  const about = await stat(path).catch((cause: unknown) => {
    throw new OperatorError('FILE_MISSING', `Cannot read ${path}`, {
      cause,
      hint: 'name log files, folders of them, or a support bundle: hairpin doctor --log FILE…',
    });
  });
  if (about.isDirectory()) {
    const names = await readdir(path, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const texts = (await Promise.all(files.toSorted().map(readPath))).flat();
    // A folder with a kubelet's log in it is one node's.
    const ofNodes = new Set(files.filter((file) => basename(file).startsWith('kubelet')).map(dirname));
    return texts.map((text) => {
      const folder = dirname(text.name);
      return text.node === undefined && folder !== path && ofNodes.has(folder)
        ? { ...text, node: basename(folder) }
        : text;
    });
  }
  return unpack(path, await readFile(path));
}

async function unpack(name: string, bytes: Buffer): Promise<readonly NamedText[]> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return unpack(name, inflate(name, bytes));
  if (bytes.subarray(257, 262).toString('latin1') === 'ustar') return untar(name, bytes);
  // Whatever has zero bytes at its beginning is no log.
  if (bytes.subarray(0, 4096).includes(0)) return [];
  return [{ name, text: bytes.toString('utf8') }];
}

function inflate(name: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: largest });
  } catch (cause) {
    throw new OperatorError('FILE_DAMAGED', `Cannot unpack ${name}`, { cause, hint: 'copy it again' });
  }
}

async function untar(name: string, bytes: Buffer): Promise<readonly NamedText[]> {
  const members: NamedText[] = [];
  const archive = Readable.from([bytes]).pipe(extract());
  for await (const entry of archive) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    if (entry.header.type !== 'file') continue;
    const node = memberNode.exec(entry.header.name)?.[1];
    const texts = await unpack(`${name}:${entry.header.name}`, Buffer.concat(parts));
    members.push(...texts.map((text) => (node === undefined ? text : { ...text, node })));
  }
  return members;
}
