import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cell, keyOf } from './drill/matrix/cell.ts';
import { cellsOf, type MatrixGroup, planMatrix } from './drill/matrix/plan.ts';
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
  const catalog = balancerCatalog();
  const balancer = (preset: string) => {
    const entry = catalog.get(preset);
    if (entry === undefined) throw new TypeError(`The lab has no balancer ${preset}`);
    return entry.config;
  };
  const groups = planMatrix({ faults: wireFaults, balancer, full, only });
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

/** Cells that are there, in the order of strategies and faults. */
export async function matrixCells(): Promise<readonly Cell[]> {
  const order = variants.map(({ name }) => name);
  const cells = await readCells(cellsFile());
  return cells.toSorted((a, b) => order.indexOf(a.variant) - order.indexOf(b.variant));
}

function cellsFile(): string {
  return join(stateDir(), 'matrix', 'wire.jsonl');
}
