import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Set by the build (scripts/build.ts) inside the executable; a checkout has none and is hashed. */
declare const HAIRPIN_PROGRAM_ID: string | undefined;

/** The checkout that this file is in; the executable has none. */
export const checkoutRoot: string | undefined =
  typeof HAIRPIN_PROGRAM_ID === 'string' ? undefined : join(import.meta.dirname, '../..');

/**
 * Names the program by what it is made from, not by its bytes: 16 hex digits, the same on every machine with the same
 * checkout, known before anything is built. The directory of a version on a node has this name.
 */
export async function programId(): Promise<string> {
  if (checkoutRoot === undefined) return HAIRPIN_PROGRAM_ID as string;
  known ??= hashSources(checkoutRoot);
  return await known;
}

let known: Promise<string> | undefined;

async function hashSources(root: string): Promise<string> {
  const entries = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  const sources = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    // The lab is not part of the program, and neither are tests.
    .filter((path) => !path.startsWith(join(root, 'src/lab/')));
  const paths = [...sources, ...['package.json', 'package-lock.json', 'scripts/build.ts'].map((n) => join(root, n))];
  const hash = createHash('sha256');
  for (const path of paths.toSorted()) {
    hash.update(`${path.slice(root.length)}\0`);
    hash.update(await readFile(path));
  }
  return hash.digest('hex').slice(0, 16);
}
