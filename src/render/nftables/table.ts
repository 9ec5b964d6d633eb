import type { Family } from '../../std/address.ts';
import { familyWords } from './family.ts';

/** Where a base chain sits. Chains without a hook are only jumped to. */
export interface Hook {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  readonly priority: number;
}

export interface Chain {
  readonly name: string;
  readonly hook?: Hook;
  readonly rules: readonly string[];
}

export interface Table {
  readonly family: Family;
  readonly name: string;
  readonly counters?: readonly string[];
  /** Name and body: `type ipv4_addr . inet_service; flags dynamic,timeout; size 65535;`. */
  readonly sets?: readonly { readonly name: string; readonly body: string }[];
  readonly chains: readonly Chain[];
}

/**
 * The whole table as one transaction that can be applied over itself: it is created when missing, its rules are
 * replaced, and its counters, sets and base chains stay. It is never deleted, because with the last NAT hook of a
 * namespace the live translated flows go. `afterFlush`: commands of the same transaction, when no rule refers to anything.
 */
export function renderTable(table: Table, opts: { readonly afterFlush?: readonly string[] } = {}): string {
  const where = `${familyWords(table.family).table} ${table.name}`;
  const body = [
    ...(table.counters ?? []).map((name) => `  counter ${name} { }`),
    ...(table.sets ?? []).map(({ name, body }) => `  set ${name} { ${body} }`),
    ...table.chains.flatMap(renderChain),
  ];
  return [
    `add table ${where}`,
    `flush table ${where}`,
    ...(opts.afterFlush ?? []),
    `table ${where} {`,
    ...body,
    '}',
    '',
  ].join('\n');
}

/** Replaces the rules of some chains in one transaction; everything else of the table is left alone. */
export function renderChainRules(family: Family, table: string, chains: readonly Chain[]): string {
  const where = `${familyWords(family).table} ${table}`;
  return chains
    .flatMap((chain) => [
      `flush chain ${where} ${chain.name}`,
      ...chain.rules.map((rule) => `add rule ${where} ${chain.name} ${rule}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

function renderChain(chain: Chain): readonly string[] {
  const hook = chain.hook;
  return [
    `  chain ${chain.name} {`,
    ...(hook === undefined
      ? []
      : [`    type ${hook.type} hook ${hook.hook} priority ${hook.priority}; policy accept;`]),
    ...chain.rules.map((rule) => `    ${rule}`),
    '  }',
  ];
}
