import { hookText, type Steering, type TableShape } from '../../render/nftables/agent-table.ts';
import { type Address, parseAddress } from '../../std/address.ts';

/** What `nft -j list table` says about the steering table of one family. */
export interface SeenTable extends TableShape {
  readonly endpoints: readonly Address[];
  readonly uplinks: readonly string[];
  /** Endpoints whose element has not lapsed. */
  readonly live: readonly Address[];
  readonly steering: Steering;
  readonly steered: number;
  readonly held: number;
  /** Equal for equal fixed parts: everything but counters, elements, and the rules that transitions write. */
  readonly fingerprint: string;
}

/** The chains that a transition writes. */
const moving = new Set(['steer', 'hold', 'source']);

/** Reads the listing; throws `SyntaxError` for anything that is not one. */
export function parseListing(json: string): SeenTable {
  const parsed: unknown = JSON.parse(json);
  const items = record(parsed)?.nftables;
  if (!Array.isArray(items)) throw new SyntaxError('Not a listing of nft -j');
  const all = (kind: string) => items.map((item) => record(record(item)?.[kind])).filter((item) => item !== undefined);
  const rules = all('rule').map((rule) => ({ chain: String(rule.chain), expr: rule.expr }));
  const sets = all('set');
  const elements = (name: string) => addressesIn(sets.find((set) => set.name === name)?.elem);
  const chains = all('chain').map((chain) => ({ name: String(chain.name), hook: hookOf(chain) }));
  const counter = (name: string) => Number(all('counter').find((each) => each.name === name)?.packets ?? 0);
  return {
    chains,
    sets: sets.map((set) => ({
      name: String(set.name),
      type: Array.isArray(set.type) ? set.type.join(' . ') : String(set.type),
      size: typeof set.size === 'number' ? set.size : undefined,
    })),
    endpoints: elements('endpoints'),
    uplinks: stringsIn(sets.find((set) => set.name === 'uplinks')?.elem),
    live: elements('live'),
    steering: {
      backends: rules.filter(({ chain }) => chain === 'steer').flatMap(({ expr }) => addressesIn(expr)),
      hold: rules.some(({ chain, expr }) => chain === 'hold' && JSON.stringify(expr).includes('"drop"')),
    },
    steered: counter('steered'),
    held: counter('held'),
    fingerprint: JSON.stringify([
      chains,
      sets.map(({ name, type, size }) => [name, type, size]),
      rules.filter(({ chain }) => !moving.has(chain)).map(({ chain, expr }) => [chain, withoutCounts(expr)]),
    ]),
  };
}

function hookOf(chain: Readonly<Record<string, unknown>>): string {
  const { type, hook, prio } = chain;
  return hookText(
    typeof hook === 'string' && typeof type === 'string' && typeof prio === 'number'
      ? { type, hook, priority: prio }
      : undefined,
  );
}

/** The addresses in a value, in the order in which they stand there. */
function addressesIn(value: unknown): readonly Address[] {
  return stringsIn(value).flatMap((text) => parseAddress(text) ?? []);
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  return value === null || typeof value !== 'object' ? [] : Object.values(value).flatMap(stringsIn);
}

function withoutCounts(expr: unknown): unknown {
  if (!Array.isArray(expr)) return expr;
  return expr.map((each: unknown) => (record(record(each)?.counter) === undefined ? each : { counter: null }));
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
