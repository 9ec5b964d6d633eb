import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Cell, keyOf } from './cell.ts';

/** Finished cells, one a line, appended as they are made; of several with one key the last good one counts. */
export async function readCells(file: string): Promise<readonly Cell[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const cells = new Map<string, Cell>();
  for (const line of text.split('\n')) {
    const cell = parseLine(line);
    if (cell === undefined || (cell.is === 'bad' && cells.get(keyOf(cell))?.is === 'measured')) continue;
    cells.set(keyOf(cell), cell);
  }
  return [...cells.values()];
}

export async function appendCell(file: string, cell: Cell): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // A line that a kill has cut short ends here and is passed over when it is read.
  await appendFile(file, `\n${JSON.stringify(cell)}`);
}

function parseLine(line: string): Cell | undefined {
  try {
    return line.trim() === '' ? undefined : (JSON.parse(line) as Cell);
  } catch {
    return undefined;
  }
}
