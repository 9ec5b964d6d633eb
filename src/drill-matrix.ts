import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { arch, cpus, release } from 'node:os';
import { join } from 'node:path';
import { type Cell, keyOf } from './drill/matrix/cell.ts';
import { cellsOf, type MatrixGroup, matrixPresets, planMatrix } from './drill/matrix/plan.ts';
import type { BalancerNumbers } from './drill/matrix/predict.ts';
import { availabilityJson } from './drill/matrix/report/json.ts';
import { availabilityMarkdown } from './drill/matrix/report/markdown.ts';
import { availabilitySvg } from './drill/matrix/report/svg.ts';
import { sectionsOf } from './drill/matrix/report/table.ts';
import { runMatrix } from './drill/matrix/run-matrix.ts';
import { appendCell, readCells } from './drill/matrix/store.ts';
import { variants } from './drill/matrix/variants.ts';
import { takeLock } from './lab/cache/lock.ts';
import { wireMatrixLabs } from './lab/drill/matrix-labs.ts';
import { stateDir } from './lab/paths.ts';
import { balancerCatalog } from './lab/spec/catalog.ts';
import type { Emit } from './report/event.ts';

export interface MatrixRequest {
  /** `STRATEGY[@PRESET][,FAULT]`; empty: all. */
  readonly only: readonly string[];
  /** Every fault behind every balancer, which takes hours. */
  readonly full: boolean;
}

export interface MatrixRun extends MatrixRequest {
  /** Forgets cells that are there already. */
  readonly again: boolean;
  readonly parallel: number;
  readonly perSecond: number;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** The cells that would be made, by lab, and which of them are there. */
export interface MatrixListed {
  readonly groups: readonly MatrixGroup[];
  readonly cells: number;
  readonly done: readonly Cell[];
}

/** Faults of the wire tier, in the order in which they are shown. */
const wireFaults = [
  'apiserver-killed',
  'apiserver-frozen',
  'apiserver-not-ready',
  'apiserver-slow',
  'node-silent',
  'balancer-down',
  'second-fault',
  'rules-flushed',
  'conntrack-flushed',
  'haproxy-killed',
  'haproxy-frozen',
  'keepalived-killed',
  'keepalived-frozen',
  'agent-killed',
  'agent-frozen',
];

export async function listMatrix({ only, full }: MatrixRequest): Promise<MatrixListed> {
  const groups = planMatrix({ faults: wireFaults, balancer: balancerOf, full, only });
  return { groups, cells: cellsOf(groups), done: await readCells(cellsFile()) };
}

/** Runs what is missing; `onCell` is told each cell as it is finished, with how far the whole is. Gives all cells that are there. */
export async function runDrillMatrix(
  request: MatrixRun,
  onCell: (cell: Cell, progress: { readonly done: number; readonly of: number; readonly leftMs: number }) => void,
): Promise<readonly Cell[]> {
  const { again, parallel, perSecond, emit, signal } = request;
  await using _lock = await takeLock(join(stateDir(), 'matrix', 'lock'), 'drill matrix', { emit, signal });
  const { groups, cells, done } = await listMatrix(request);
  const wanted = new Set(
    groups.flatMap(({ variant, preset, faults }) =>
      faults.map(({ name }) => keyOf({ variant: variant.name, preset, fault: name })),
    ),
  );
  const kept = again ? done.filter((cell) => !wanted.has(keyOf(cell))) : done;
  if (again) {
    await rm(cellsFile(), { force: true });
    for (const cell of kept) await appendCell(cellsFile(), cell);
  }
  const made = new Set(kept.filter((cell) => cell.is !== 'bad' && wanted.has(keyOf(cell))).map(keyOf));
  const began = performance.now();
  const before = made.size;
  await runMatrix({
    groups,
    labs: wireMatrixLabs,
    done: kept,
    parallel,
    perSecond,
    emit,
    signal,
    now: () => new Date(),
    async onCell(cell) {
      await appendCell(cellsFile(), cell);
      made.add(keyOf(cell));
      const each = (performance.now() - began) / Math.max(1, made.size - before);
      onCell(cell, { done: made.size, of: cells, leftMs: (cells - made.size) * each });
    },
  });
  return await readCells(cellsFile());
}

/** Draws what is there: `availability.md`, `availability.json` and `availability.svg` in `directory`. Gives their paths. */
export async function writeAvailability(directory: string): Promise<readonly string[]> {
  const { cells: planned, done } = await listMatrix({ only: [], full: false });
  const cells = inOrder(done);
  const machine = machineInWords();
  const sections = sectionsOf(cells, balancerOf, wireFaults);
  const files = [
    ['availability.md', availabilityMarkdown({ cells, sections, machine, planned })],
    ['availability.json', availabilityJson(cells, machine, balancerOf)],
    ['availability.svg', availabilitySvg(sections)],
  ] as const;
  await mkdir(directory, { recursive: true });
  for (const [name, text] of files) {
    await writeFile(join(directory, `${name}.tmp`), text);
    await rename(join(directory, `${name}.tmp`), join(directory, name));
  }
  return files.map(([name]) => join(directory, name));
}

function inOrder(cells: readonly Cell[]): readonly Cell[] {
  const at = (order: readonly string[], name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const names = variants.map(({ name }) => name);
  return cells.toSorted(
    (a, b) =>
      at(names, a.variant) - at(names, b.variant) ||
      at(matrixPresets, a.preset) - at(matrixPresets, b.preset) ||
      at(['nothing', ...wireFaults], a.fault) - at(['nothing', ...wireFaults], b.fault),
  );
}

function balancerOf(preset: string): BalancerNumbers | undefined {
  return balancerCatalog().get(preset)?.config;
}

function machineInWords(): string {
  const cores = cpus();
  return `Linux ${release()}, ${arch()}, ${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}`;
}

function cellsFile(): string {
  return join(stateDir(), 'matrix', 'wire.jsonl');
}
