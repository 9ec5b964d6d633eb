import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabContext } from '../tier/tier.ts';
import type { FaultRecord } from './fault.ts';

type Paths = Pick<LabContext['paths'], 'faults'>;

/** One file a fault, so that two `lab break` at once cannot lose each other's. */
export async function writeFault(paths: Paths, record: FaultRecord): Promise<void> {
  const file = join(paths.faults, fileName(record));
  await writeFile(`${file}.tmp`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

export async function removeFault(paths: Paths, record: FaultRecord): Promise<void> {
  await rm(join(paths.faults, fileName(record)), { force: true });
}

/** All faults in force, the oldest first. */
export async function readFaults(paths: Paths): Promise<readonly FaultRecord[]> {
  const names = (await readdir(paths.faults).catch(() => [])).filter((name) => name.endsWith('.json'));
  const records = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(paths.faults, name), 'utf8').catch(() => undefined);
      return text === undefined ? [] : [JSON.parse(text) as FaultRecord];
    }),
  );
  return records.flat().toSorted((a, b) => a.since.localeCompare(b.since));
}

/** A fault can be in force once per target and process. */
function fileName({ fault, target, process }: FaultRecord): string {
  const parts = [fault, target, ...(process === undefined ? [] : [process.replaceAll(/[^\w.-]/g, '_')])];
  return `${parts.join('@')}.json`;
}
