import type { Address, Family } from '../../std/address.ts';
import { familyWords } from './family.ts';
import { liveTimeoutSeconds, type SteerTableOptions, steerRules, steerTable, steerTableOf } from './steer.ts';
import { type Chain, renderChainRules, renderTable } from './table.ts';

/** What a transition decides: where new connections go (nowhere in particular: the balancer), and whether refusals are held. */
export interface Steering {
  readonly backends: readonly Address[];
  readonly hold: boolean;
}

/** What a listing of the table shows besides its rules: enough to know what has to go before it can be made anew. */
export interface TableShape {
  readonly chains: readonly { readonly name: string; readonly hook: string }[];
  readonly sets: readonly { readonly name: string; readonly type: string; readonly size: number | undefined }[];
}

export interface AgentTableOptions extends SteerTableOptions {
  readonly apiServerPort: number;
}

/**
 * The table of one family with everything in it, as one transaction over whatever is there: also over the table of another
 * version of hairpin, whose chains and sets of another kind are replaced. Flows that exist are not touched, steering does
 * not pause, and the table itself is never deleted. `live`: endpoints that are to be alive as if the prober had just renewed
 * them, for a table that was gone and for a set that is replaced; those that are alive are not renewed by this.
 */
export function renderAgentTable(
  options: AgentTableOptions,
  steering: Steering,
  from: { readonly present: TableShape | undefined; readonly live: readonly Address[] },
): string {
  const { family, apiServerPort } = options;
  const table = steerTableOf(options);
  const filled = new Map(
    steerRules(family, targets(steering, family, apiServerPort), steering.hold).map((c) => [c.name, c]),
  );
  const where = `${familyWords(family).table} ${steerTable}`;
  const obsolete = from.present === undefined ? [] : clear(options, from.present);
  return [
    renderTable(
      { ...table, chains: table.chains.map((chain) => filled.get(chain.name) ?? chain) },
      { afterFlush: obsolete },
    ),
    ...from.live.map(
      (a) => `add element ${where} live { ${a.text} . ${options.port} timeout ${liveTimeoutSeconds}s }\n`,
    ),
  ].join('');
}

/** A transition, as one transaction: `steer`, `hold` and the sources. Fails when the table is not there. */
export function renderTransition(options: AgentTableOptions, steering: Steering): string {
  const { family, apiServerPort } = options;
  const source = steerTableOf(options).chains.filter((chain) => chain.name === 'source');
  const rules: readonly Chain[] = [
    ...steerRules(family, targets(steering, family, apiServerPort), steering.hold),
    ...source,
  ];
  return renderChainRules(family, steerTable, rules);
}

/** Endpoints and uplinks as they are from now on; nothing else changes. */
export function renderMembers({ family, endpoints, uplinks }: SteerTableOptions): string {
  const where = `${familyWords(family).table} ${steerTable}`;
  const set = (name: string, values: readonly string[]) => [
    `flush set ${where} ${name}\n`,
    ...(values.length === 0 ? [] : [`add element ${where} ${name} { ${values.join(', ')} }\n`]),
  ];
  return [
    ...set('endpoints', texts(endpoints)),
    ...set(
      'uplinks',
      uplinks.map((name) => `"${name}"`),
    ),
  ].join('');
}

/** `nat output -100`: how a chain hangs in the kernel; empty for one that is only jumped to. */
export function hookText(hook: { type?: string; hook?: string; priority?: number } | undefined): string {
  return hook?.hook === undefined ? '' : `${hook.type} ${hook.hook} ${hook.priority}`;
}

function clear(options: SteerTableOptions, present: TableShape): readonly string[] {
  const { table, addressType } = familyWords(options.family);
  const where = `${table} ${steerTable}`;
  const chains = new Map(steerTableOf(options).chains.map((chain) => [chain.name, hookText(chain.hook)]));
  // A set that changes in any other way than these has to change its name as well.
  const sets = new Map([
    ['live', `${addressType} . inet_service/64`],
    ['endpoints', `${addressType}/`],
    ['uplinks', 'ifname/'],
  ]);
  return [
    ...present.chains
      .filter(({ name, hook }) => chains.get(name) !== hook)
      .map(({ name }) => `delete chain ${where} ${name}`),
    ...present.sets.map(({ name, type, size }) => {
      if (sets.get(name) !== `${type}/${size ?? ''}`) return `delete set ${where} ${name}`;
      return name === 'live' ? '' : `flush set ${where} ${name}`;
    }),
  ].filter((line) => line !== '');
}

function targets({ backends }: Steering, family: Family, port: number) {
  return backends.filter((a) => a.family === family).map((address) => ({ address, port }));
}

function texts(addresses: readonly Address[]): readonly string[] {
  return addresses.map((a) => a.text);
}
