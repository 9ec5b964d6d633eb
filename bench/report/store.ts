import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, release } from 'node:os';
import { dirname, join } from 'node:path';

/** Results as they are made: a bench that is stopped goes on where it was, and docs are drawn from the file alone. */
export interface Stored<Row> {
  readonly machine: string;
  rows: Row[];
}

export const benchDocs = join(import.meta.dirname, '..', '..', 'docs', 'bench');

export function readStored<Row>(file: string): Stored<Row> {
  const path = join(benchDocs, file);
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Stored<Row>;
  } catch {
    return { machine: machineInWords(), rows: [] };
  }
}

export function writeDoc(file: string, text: string): void {
  const path = join(benchDocs, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

export function writeStored<Row>(file: string, stored: Stored<Row>): void {
  // A row a line: differences between two runs can be read.
  const rows = stored.rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  writeDoc(file, `{\n  "machine": ${JSON.stringify(stored.machine)},\n  "rows": [\n${rows}\n  ]\n}\n`);
}

export function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

function machineInWords(): string {
  const cores = cpus();
  return `Linux ${release()}, ${arch()}, ${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}`;
}
