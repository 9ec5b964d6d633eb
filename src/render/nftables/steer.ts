import type { Address, Family } from '../../std/address.ts';
import { familyWords } from './family.ts';
import { newConnection, pinConntrack } from './match.ts';
import { spreadDnat } from './spread.ts';
import { type Chain, renderChainRules, renderTable, type Table } from './table.ts';

export const steerTable = 'hairpin';

/** How long steering goes on after the last sign of life of the prober (design.md, "The steering table"). */
export const liveTimeoutSeconds = 3;

export interface SteerTableOptions {
  readonly family: Family;
  /** The endpoint's addresses of this family; the first one is not special. */
  readonly endpoints: readonly Address[];
  readonly port: number;
  /** The user id whose UDP datagrams to the endpoint keep `live` alive. */
  readonly proberUid: number;
  /** Interfaces through which the balancer's packets come in; what comes from there is never steered. */
  readonly uplinks: readonly string[];
  /** The node's own address: the source of steered flows that would leave with the endpoint's address. */
  readonly node: Address;
  /** Backends that are reached from another address of the node, on nodes that have several. */
  readonly sources?: readonly { readonly backend: Address; readonly source: Address }[];
}

export interface SteerTarget {
  readonly address: Address;
  readonly port: number;
}

/**
 * The table of one family. Loading it over itself keeps the sets, so steering goes on; the chains `steer` and `hold` are
 * empty afterwards and have to be filled (`renderSteering`). It is never deleted while the node is in service.
 */
export function renderSteerTable(options: SteerTableOptions): string {
  return renderTable(steerTableOf(options));
}

export function steerTableOf(options: SteerTableOptions): Table {
  const { family, endpoints, port, proberUid, uplinks, node, sources = [] } = options;
  const { header, addressType } = familyWords(family);
  const leavesAsEndpoint = `oifname != "lo" ${header} saddr @endpoints ct status dnat`;
  const live = `${header} daddr . tcp dport @live`;
  // tcp matches first: nft 1.0.6 does not parse them after `ct original`. A RST that answers a SYN has sequence 0.
  const refusal = `tcp flags & (syn|rst) == rst tcp sequence 0 ct status dnat ct original ${header} daddr . ct original proto-dst @live jump hold`;
  return {
    family,
    name: steerTable,
    counters: ['steered', 'held'],
    sets: [
      { name: 'live', body: `type ${addressType} . inet_service; flags dynamic,timeout; size 64;` },
      { name: 'endpoints', body: `type ${addressType}; ${elements(endpoints.map((a) => a.text))}` },
      { name: 'uplinks', body: `type ifname; ${elements(uplinks.map((name) => `"${name}"`))}` },
    ],
    chains: [
      { name: 'steer', rules: [] },
      { name: 'hold', rules: [] },
      {
        // The dead man's switch: each datagram of the prober renews the element, and is dropped (the prober sees EPERM).
        name: 'renew',
        hook: { type: 'filter', hook: 'output', priority: -300 },
        rules: [
          // The protocol first: every packet that leaves the node comes by here, and most are TCP.
          `udp dport ${port} ${header} daddr @endpoints meta skuid ${proberUid} update @live { ${header} daddr . udp dport timeout ${liveTimeoutSeconds}s } drop`,
        ],
      },
      {
        name: 'own',
        hook: { type: 'nat', hook: 'output', priority: -100 },
        // Pinned here, because chains of this type see only the first packet of a connection.
        rules: [pinConntrack, `${live} ${newConnection} goto steer`],
      },
      {
        name: 'pods',
        hook: { type: 'nat', hook: 'prerouting', priority: -100 },
        rules: [`iifname != @uplinks ${live} ${newConnection} goto steer`],
      },
      {
        // A flow to an endpoint that is an address of this node would leave with the endpoint as its source.
        name: 'source',
        hook: { type: 'nat', hook: 'postrouting', priority: 100 },
        rules: [
          ...sources.map((at) => `${leavesAsEndpoint} ${header} daddr ${at.backend.text} snat to ${at.source.text}`),
          `${leavesAsEndpoint} snat to ${node.text}`,
        ],
      },
      ...(['input', 'forward', 'output'] as const).map(
        (hook): Chain => ({
          name: `refused-${hook}`,
          // After connection tracking (so that the entry closes and the repeated SYN is looked up anew), before filters.
          hook: { type: 'filter', hook, priority: -10 },
          rules: [refusal],
        }),
      ),
    ],
  };
}

/**
 * The transaction of a transition: where new connections to the endpoint go from now on (none: to the balancer), and
 * whether refusals are held because another target is ready.
 */
export function renderSteering(family: Family, targets: readonly SteerTarget[], hold: boolean): string {
  return renderChainRules(family, steerTable, steerRules(family, targets, hold));
}

/** The transaction that ends steering for good: nothing is steered, held or renewed; what was translated stays so. */
export function renderWithdrawal(family: Family): string {
  const chains = ['steer', 'hold', 'renew'].map((name): Chain => ({ name, rules: [] }));
  return `${renderChainRules(family, steerTable, chains)}flush set ${familyWords(family).table} ${steerTable} live\n`;
}

/** The two chains that a transition fills. */
export function steerRules(family: Family, targets: readonly SteerTarget[], hold: boolean): readonly Chain[] {
  const spread = () =>
    spreadDnat(
      family,
      'turn',
      targets.map((target) => ({ target, weight: 1 })),
    );
  return [
    { name: 'steer', rules: targets.length === 0 ? [] : [`meta l4proto tcp counter name steered ${spread()}`] },
    { name: 'hold', rules: hold ? ['counter name held drop'] : [] },
  ];
}

function elements(values: readonly string[]): string {
  return values.length === 0 ? '' : `elements = { ${values.join(', ')} };`;
}
