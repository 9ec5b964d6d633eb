import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import type { DrillRecord } from '../history/record.ts';
import type { Budget } from '../judge/budget.ts';

/** The first line of a saved drill: what the records after it are to be judged by. */
export interface DrillHeader {
  readonly is: 'drill';
  readonly id: string;
  readonly scenario: string;
  readonly summary: string;
  readonly site: string;
  readonly strategy: string;
  /** `apiserver-frozen m1`. */
  readonly broke: readonly string[];
  readonly startedAt: string;
  readonly budget: Budget;
  readonly watched: 'every' | 'acknowledged';
  /** The largest error of a time, in milliseconds, and of which client. */
  readonly clockErrorMs: number;
  /** Clients that went down with their node, as they were meant to: they are not judged. */
  readonly lost?: readonly string[];
  /** Why it ended early, if it did. */
  readonly cutShort?: string;
}

export interface SavedDrill {
  readonly header: DrillHeader;
  readonly history: readonly DrillRecord[];
}

export async function saveDrill(directory: string, { header, history }: SavedDrill): Promise<string> {
  const dir = join(directory, 'drills');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, `${header.id}.jsonl`);
  await writeFile(`${file}.tmp`, [header, ...history].map((line) => `${JSON.stringify(line)}\n`).join(''));
  await rename(`${file}.tmp`, file);
  return file;
}

/** By its id or the beginning of it; `last` is the newest. Throws `DRILL_UNKNOWN`. */
export async function loadDrill(directory: string, id: string): Promise<SavedDrill> {
  const ids = await drillIds(directory);
  const found =
    id === 'last' ? ids.at(-1) : (ids.find((known) => known === id) ?? ids.findLast((known) => known.startsWith(id)));
  if (found === undefined) {
    throw new OperatorError('DRILL_UNKNOWN', `There is no drill \`${id}\` in ${directory}`, {
      hint: ids.length === 0 ? 'none was run' : `the newest is ${ids.at(-1)}`,
    });
  }
  const [first = '', ...lines] = (await readFile(join(directory, 'drills', `${found}.jsonl`), 'utf8'))
    .trimEnd()
    .split('\n');
  return { header: JSON.parse(first) as DrillHeader, history: lines.map((line) => JSON.parse(line) as DrillRecord) };
}

export async function drillIds(directory: string): Promise<readonly string[]> {
  const names = await readdir(join(directory, 'drills')).catch(() => []);
  return names.flatMap((name) => (name.endsWith('.jsonl') ? [name.slice(0, -'.jsonl'.length)] : [])).toSorted();
}
