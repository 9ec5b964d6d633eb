import { open, rename } from 'node:fs/promises';

/** Writes a whole file or none of it: readers and a killed run never meet half a file. */
export async function writeAtomic(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const part = `${path}.part-${process.pid}`;
  const handle = await open(part, 'w', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, path);
}
