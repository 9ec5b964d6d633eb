import { type Cell, type CellClient, noPreset } from '../cell.ts';
import { fullPreset, matrixPresets } from '../plan.ts';
import { type BalancerNumbers, type Prediction, predict } from '../predict.ts';
import { type ClientClass, clientClasses, type VariantName, variants } from '../variants.ts';

/** The cells as rows: what one client class saw of one fault, with every strategy. */
export interface Section {
  readonly preset: string;
  readonly columns: readonly VariantName[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly preset: string;
  readonly fault: string;
  readonly client: ClientClass;
  readonly entries: ReadonlyMap<VariantName, Entry>;
}

export type Entry =
  | {
      readonly is: 'measured';
      readonly cell: Cell;
      readonly seen: CellClient;
      readonly predicted: Prediction | undefined;
    }
  | { readonly is: 'bad'; readonly cell: Cell }
  | { readonly is: 'refused'; readonly cell: Cell };

export type BalancerOf = (preset: string) => BalancerNumbers | undefined;

/** Strategies without a balancer stand beside those behind the article's one: the faults are the same. */
export function sectionsOf(
  cells: readonly Cell[],
  balancerOf: BalancerOf,
  faultOrder: readonly string[],
): readonly Section[] {
  return matrixPresets.flatMap((preset) => {
    const own = cells.filter((cell) => cell.preset === preset || (preset === fullPreset && cell.preset === noPreset));
    if (own.length === 0) return [];
    const columns = variants.map(({ name }) => name).filter((name) => own.some((cell) => cell.variant === name));
    const faults = [...new Set(own.map((cell) => cell.fault))].toSorted((a, b) => place(a) - place(b));
    const rows = faults.flatMap((fault) =>
      clientClasses.flatMap((client): readonly Row[] => {
        const entries = new Map(
          columns.flatMap((variant): readonly [VariantName, Entry][] => {
            const cell = own.find((one) => one.variant === variant && one.fault === fault);
            const entry = cell === undefined ? undefined : entryOf(cell, client, balancerOf);
            return entry === undefined ? [] : [[variant, entry]];
          }),
        );
        const isSeen = [...entries.values()].some((entry) => entry.is === 'measured');
        return isSeen ? [{ preset, fault, client, entries }] : [];
      }),
    );
    return [{ preset, columns, rows }];
  });
  function place(fault: string): number {
    const at = faultOrder.indexOf(fault);
    return at === -1 ? (fault === 'nothing' ? -1 : faultOrder.length) : at;
  }
}

function entryOf(cell: Cell, client: ClientClass, balancerOf: BalancerOf): Entry | undefined {
  if (cell.is !== 'measured') return { is: cell.is, cell };
  const seen = cell.clients.find((one) => one.client === client);
  if (seen === undefined) return undefined;
  const balancer = cell.preset === noPreset ? undefined : balancerOf(cell.preset);
  return { is: 'measured', cell, seen, predicted: predict(cell.variant, balancer, cell.fault, client) };
}

/** Milliseconds until nothing failed any more; endless for what fails until the fault is healed, or with nothing broken. */
export function scoreOf(entry: Entry | undefined): number | undefined {
  if (entry?.is !== 'measured') return undefined;
  if (entry.seen.failsAnyway > 0 || entry.seen.allGoodAfterMs === 'until-healed') return Number.POSITIVE_INFINITY;
  return entry.seen.allGoodAfterMs;
}
