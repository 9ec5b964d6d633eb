import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { type Emit, silent, task } from '../../report/event.ts';
import type { DrillFault } from '../faults/fault.ts';
import { planDrill } from '../run/plan.ts';
import { runDrill } from '../run/run-drill.ts';
import { scenarios } from '../scenario/list.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { DrillClient, DrillSite } from '../site/site.ts';
import { type Cell, keyOf, noPreset } from './cell.ts';
import { type Baseline, baselineOf, judgeCell } from './judge-cell.ts';
import { fullPreset, type MatrixFault, type MatrixGroup } from './plan.ts';
import { predict } from './predict.ts';
import { clientClasses } from './variants.ts';

/** A lab with a strategy in force, as the matrix uses it. */
export interface MatrixLab extends AsyncDisposable {
  readonly site: DrillSite;
  /** The master whose loss hurts most: the first one, or whoever holds the endpoint now. */
  target(): Promise<string>;
  /** One client of each class that can say something while `target` has this fault. */
  clients(target: string, fault: string): Promise<readonly DrillClient[]>;
  /** Waits until everything is as before; throws `MATRIX_UNSTEADY` when that takes too long. */
  steady(signal: AbortSignal): Promise<void>;
}

export type OpenedLab =
  | { readonly is: 'open'; readonly lab: MatrixLab }
  /** `plan` would refuse the strategy here; there is nothing to be measured. */
  | { readonly is: 'refused'; readonly reason: string };

export interface MatrixLabs {
  readonly tier: 'wire' | 'node';
  /** Makes what these labs share and what takes long, before anything is measured. */
  prepare(groups: readonly MatrixGroup[], signal: AbortSignal): Promise<void>;
  /** A fresh lab; one of the same group that is left from a run that was killed is taken down first. */
  open(group: MatrixGroup, opts: { readonly emit: Emit; readonly signal: AbortSignal }): Promise<OpenedLab>;
}

export interface MatrixOptions {
  readonly groups: readonly MatrixGroup[];
  readonly labs: MatrixLabs;
  /** Cells that are there already; good ones are not made again. */
  readonly done: readonly Cell[];
  /** Labs at once. */
  readonly parallel: number;
  readonly perSecond: number;
  /** Called for each cell as it is finished, before the next one of its lab is begun. */
  readonly onCell: (cell: Cell) => Promise<void>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** A cell that is bad once is made again in a fresh lab; then it stays bad, and the next run tries it again. */
const tries = 2;

/** Makes the cells that are missing. Groups run side by side, the cells of one after the other. */
export async function runMatrix(opts: MatrixOptions): Promise<void> {
  const good = new Set(opts.done.filter((cell) => cell.is !== 'bad').map(keyOf));
  // What is asked most first; of that the long ones, or the last lab runs alone for minutes.
  const queue = opts.groups
    .map((group) => ({ group, missing: missingOf(group, good) }))
    .filter(({ missing }) => missing.length > 0)
    .toSorted((a, b) => placeOf(a.group) - placeOf(b.group) || lengthOf(b.missing) - lengthOf(a.missing));
  const wanted = queue.map(({ group }) => group);
  await task(opts.emit, 'prepare', 'program', () => opts.labs.prepare(wanted, opts.signal));
  const work = async () => {
    for (;;) {
      const next = queue.shift();
      if (next === undefined || opts.signal.aborted) return;
      await runGroup(next.group, next.missing, opts);
    }
  };
  // All of them: whoever stops early would leave the labs of the others.
  const ended = await Promise.allSettled(Array.from({ length: opts.parallel }, work));
  opts.signal.throwIfAborted();
  const failed = ended.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** The steady state is asked again with each lab: what a strategy cannot do at all must not be put down to a fault. */
function missingOf(group: MatrixGroup, good: ReadonlySet<string>): readonly MatrixFault[] {
  const cell = ({ name }: MatrixFault) => keyOf({ variant: group.variant.name, preset: group.preset, fault: name });
  return group.faults.filter((fault) => !good.has(cell(fault)));
}

function lengthOf(faults: readonly MatrixFault[]): number {
  return faults.reduce((sum, { forMs }) => sum + forMs, 0);
}

/** A run that is stopped has the article's balancer, and none, before all others. */
function placeOf({ preset }: MatrixGroup): number {
  return preset === fullPreset || preset === noPreset ? 0 : 1;
}

async function runGroup(group: MatrixGroup, missing: readonly MatrixFault[], opts: MatrixOptions): Promise<void> {
  let left = missing.filter(({ name }) => name !== 'nothing');
  const steady = group.faults.find(({ name }) => name === 'nothing') ?? { name: 'nothing', forMs: 3000 };
  for (let round = 1; round <= tries && !opts.signal.aborted; round += 1) {
    const isLast = round === tries;
    const allBad = async (reasons: readonly string[]) => {
      for (const fault of [steady, ...left]) {
        await opts.onCell({ ...aboutCell(group, fault, opts), is: 'bad', reasons });
      }
    };
    const opened = await opts.labs.open(group, { emit: silent, signal: opts.signal }).catch((error: unknown) => error);
    opts.signal.throwIfAborted();
    if (!isOpened(opened)) {
      // One lab that does not come up must not end all others.
      if (!isLast) continue;
      await allBad([`no lab: ${opened instanceof Error ? opened.message : String(opened)}`]);
      return;
    }
    if (opened.is === 'refused') {
      for (const fault of group.faults) await opts.onCell(refusedCell(group, fault, opened.reason, opts));
      return;
    }
    await using lab = opened.lab;
    const again: MatrixFault[] = [];
    const first = await oneCell(lab, group, steady, {}, opts);
    if (first.cell.is === 'bad') {
      if (!isLast) continue;
      // Nothing that is measured on such a lab would mean anything.
      await allBad(first.cell.reasons);
      // What was seen of it is kept for whoever looks for the cause.
      await opts.onCell(first.cell);
      return;
    }
    await opts.onCell(first.cell);
    for (const [i, fault] of left.entries()) {
      if (opts.signal.aborted) return;
      const { cell } = await oneCell(lab, group, fault, first.baseline, opts);
      if (cell.is === 'bad' && !isLast) {
        again.push(fault);
        // Whatever is wrong may stay: the rest gets a fresh lab as well.
        if (cell.reasons.some((reason) => reason.startsWith('not steady'))) {
          again.push(...left.slice(i + 1));
          break;
        }
        continue;
      }
      await opts.onCell(cell);
    }
    left = again;
    if (left.length === 0) return;
  }
}

function isOpened(opened: unknown): opened is OpenedLab {
  return typeof opened === 'object' && opened !== null && 'is' in opened;
}

async function oneCell(
  lab: MatrixLab,
  group: MatrixGroup,
  fault: MatrixFault,
  baseline: Baseline,
  opts: MatrixOptions,
): Promise<{ readonly cell: Cell; readonly baseline: Baseline }> {
  const about = aboutCell(group, fault, opts);
  const bad = (target: string, reason: string): Cell => ({ ...about, target, is: 'bad', reasons: [reason] });
  let target = '';
  try {
    await lab.steady(opts.signal);
    await sleep(group.variant.settleMs, undefined, { signal: opts.signal });
    target = await lab.target();
    const site: DrillSite = {
      ...lab.site,
      faults: [...lab.site.faults, nothingFault],
      clients: () => lab.clients(target, fault.name),
    };
    const plan = planDrill(site, scenarioOf(fault.name), {
      node: target,
      forMs: fault.forMs,
      acceptQuorumLoss: true,
    });
    const { history, header } = await runDrill(site, plan, {
      emit: silent,
      signal: opts.signal,
      perSecond: opts.perSecond,
      watches: 1,
      operationsPerSecond: 2,
      now: opts.now,
    });
    opts.signal.throwIfAborted();
    if (header.cutShort !== undefined) return { cell: bad(target, header.cutShort), baseline };
    const own = fault.name === 'nothing' ? baselineOf(history) : baseline;
    const measured = judgeCell(history, { baseline: own, watched: lab.site.watched });
    const unexpected = fault.name === 'nothing' ? unexpectedOf(group, own) : [];
    if (unexpected.length === 0) return { cell: { ...about, target, ...measured }, baseline: own };
    return { cell: { ...about, target, ...measured, is: 'bad', reasons: unexpected }, baseline: own };
  } catch (error) {
    opts.signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    const isUnsteady = error instanceof OperatorError && /UNSTEADY|UNHEALTHY/.test(error.code);
    return { cell: bad(target, isUnsteady ? `not steady: ${why}` : why), baseline };
  }
}

/** Who fails in the steady state although nothing says that he must: the lab is not what it should be. */
function unexpectedOf(group: MatrixGroup, baseline: Baseline): readonly string[] {
  return clientClasses.flatMap((client) => {
    const share = baseline[client] ?? 0;
    const predicted = predict(group.variant.name, group.balancer, 'nothing', client)?.allGoodMs;
    return share > 0 && predicted === 0
      ? [`not steady: ${client} fails ${Math.round(share * 100)} % with nothing broken`]
      : [];
  });
}

function aboutCell(group: MatrixGroup, fault: MatrixFault, { labs, perSecond, now }: MatrixOptions): Cell {
  return {
    variant: group.variant.name,
    preset: group.preset,
    fault: fault.name,
    tier: labs.tier,
    is: 'measured',
    reasons: [],
    target: '',
    forMs: fault.forMs,
    perSecond,
    startedAt: now().toISOString(),
    clients: [],
    acknowledged: 0,
    wrong: [],
  };
}

function refusedCell(group: MatrixGroup, fault: MatrixFault, reason: string, opts: MatrixOptions): Cell {
  return { ...aboutCell(group, fault, opts), is: 'refused', reasons: [reason] };
}

function scenarioOf(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  if (name === 'nothing') return steadyState;
  // Faults of a strategy's own programs that no drill has a name for.
  return { name, summary: name, faults: [name], target: 'first-master', forMs: 10_000, budget: { clients: {} } };
}

const steadyState: Scenario = {
  name: 'nothing',
  summary: 'nothing is broken',
  faults: ['nothing'],
  target: 'first-master',
  forMs: 3000,
  budget: { clients: {} },
};

const nothingFault: DrillFault = {
  name: 'nothing',
  summary: 'nothing is broken',
  aimedAt: 'cluster',
  takesMembers: 'none',
  would: () => [],
  inject: async () => undefined,
  heal: async () => undefined,
};
