import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InForce } from './fault.ts';

/** One file a fault in `dir`, there from before it is injected until it has been healed. */
export async function writeInForce(dir: string, record: InForce): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, fileName(record));
  await writeFile(`${file}.tmp`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

export async function removeInForce(dir: string, record: InForce): Promise<void> {
  await rm(join(dir, fileName(record)), { force: true });
}

/** What drills have left broken, the oldest first. */
export async function readInForce(dir: string): Promise<readonly InForce[]> {
  const names = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.json'));
  const records = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(dir, name), 'utf8')) as InForce),
  );
  return records.toSorted((a, b) => a.since.localeCompare(b.since));
}

function fileName({ fault, target }: InForce): string {
  return `${fault}@${target}.json`;
}
