import type { DrillRecord, Operation } from '../history/record.ts';
import { type Budget, budgetOf, type ClientBudget } from './budget.ts';
import { type FlapsJudged, judgeFlaps } from './cluster-events.ts';
import { type ConnectionsJudged, judgeConnections } from './connections.ts';
import { badExperiment } from './experiment.ts';
import { type HoldersJudged, judgeHolders } from './holders.ts';
import { judgeRegister, type NotLinearizable } from './register.ts';
import { judgeSet } from './set.ts';
import { judgeStreams, type StreamsJudged } from './streams.ts';
import { judgeWatches, type WatchesJudged } from './watches.ts';
import { attemptsOf, clientsOf, type Window, windowOf } from './window.ts';

/** `bad-experiment`: the history does not tell; neither good nor bad is known of the cluster. */
export type Verdict =
  | { readonly is: 'within-budget' }
  | { readonly is: 'over-budget'; readonly breaches: readonly string[] }
  | { readonly is: 'bad-experiment'; readonly reasons: readonly string[] };

export interface Judgement {
  readonly verdict: Verdict;
  readonly window: Window | undefined;
  readonly clients: readonly ClientJudged[];
  readonly operations: OperationsJudged;
  readonly holders: readonly HoldersJudged[];
  readonly flaps: FlapsJudged;
}

export interface ClientJudged {
  readonly client: string;
  readonly connections: ConnectionsJudged | undefined;
  readonly kept: ConnectionsJudged | undefined;
  readonly watches: WatchesJudged | undefined;
  /** A pod's log, followed. */
  readonly stream: StreamsJudged | undefined;
}

export interface OperationsJudged {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly problems: readonly NotLinearizable[];
}

export interface Asked {
  readonly budget: Budget;
  /** What the watches should have shown: the lab's ticks, or what the operations wrote. */
  readonly watched: 'every' | 'acknowledged';
  /** Clients that went down with their node on purpose. What they were told before counts, what they missed does not. */
  readonly lost?: readonly string[];
}

/** Pure: from a whole history to what it means. */
export function judge(history: readonly DrillRecord[], { budget, watched, lost = [] }: Asked): Judgement {
  const window = windowOf(history);
  const clients = clientsOf(history).filter((client) => !lost.includes(client));
  const operations = history.filter((r): r is Operation => r.is === 'operation');
  const reasons = badExperiment(history, clients, window);
  const judgedClients =
    window === undefined ? [] : clients.map((client) => judgeClient(history, client, window, watched));
  const holders = judgeHolders(history, window?.endAt ?? 0);
  const flaps = judgeFlaps(history, window?.faultAt ?? 0);
  const judged = judgeOperations(operations);
  const breaches = [
    ...judgedClients.flatMap((client) => breachesOf(client, budgetOf(budget, client.client))),
    // Correctness has no budget: it is lost or it is not.
    ...judged.problems.map(({ object, why }) => `${object}: ${why}`),
    ...over('all nodes', 'times not ready', sum(flaps.notReady), budget.notReady),
    ...over('all leases', 'elections', sum(flaps.elections), budget.elections),
    ...holders.flatMap((h) =>
      over(h.address, `ms on two nodes (${h.doubleOn.join(', ')})`, h.doubleMs, budget.doubleVipMs),
    ),
  ];
  return {
    verdict: verdictOf(reasons, breaches),
    window,
    clients: judgedClients,
    operations: judged,
    holders,
    flaps,
  };
}

function verdictOf(reasons: readonly string[], breaches: readonly string[]): Verdict {
  if (reasons.length > 0) return { is: 'bad-experiment', reasons };
  return breaches.length === 0 ? { is: 'within-budget' } : { is: 'over-budget', breaches };
}

function judgeClient(
  history: readonly DrillRecord[],
  client: string,
  window: Window,
  watched: Asked['watched'],
): ClientJudged {
  const of = (over: 'new' | 'kept') => {
    const attempts = attemptsOf(history, client, over);
    return attempts.length === 0 ? undefined : judgeConnections(attempts, window);
  };
  const operations = history.filter((r): r is Operation => r.is === 'operation');
  const watches = judgeWatches(
    history,
    client,
    window,
    watched === 'every' ? { is: 'every' } : { is: 'acknowledged', operations },
  );
  return {
    client,
    connections: of('new'),
    kept: of('kept'),
    watches: watches.watchers === 0 ? undefined : watches,
    stream: judgeStreams(history, client, window),
  };
}

function judgeOperations(operations: readonly Operation[]): OperationsJudged {
  const objects = (...kinds: readonly string[]) => [
    ...new Set(operations.filter((o) => kinds.includes(o.does.op)).map((o) => o.object)),
  ];
  return {
    acknowledged: operations.filter((o) => o.result === 'ok' && isChange(o)).length,
    unknown: operations.filter((o) => o.result === 'unknown' && isChange(o)).length,
    problems: [
      ...objects('write', 'read').flatMap((object) => judgeRegister(object, operations)),
      ...objects('add', 'list').flatMap((object) => judgeSet(object, operations)),
    ],
  };
}

function isChange(operation: Operation): boolean {
  return operation.does.op === 'write' || operation.does.op === 'add';
}

function breachesOf({ client, connections, watches }: ClientJudged, budget: ClientBudget): readonly string[] {
  return [
    ...over(client, 'failed', connections?.failed, budget.failed),
    ...over(client, 'ms outage', connections?.longestOutageMs, budget.outageMs),
    ...over(client, 'ms until all good', connections?.allGoodAfterMs, budget.allGoodAfterMs),
    ...over(client, 'ms until steady', connections?.steadyAfterMs, budget.steadyAfterMs),
    ...over(client, 'ms between watch events', watches?.longestGapMs, budget.watchGapMs),
    ...over(client, 'stuck streams', watches?.streams.filter((s) => s.is === 'stuck').length, budget.stuck),
    ...(watches?.missed.length ? [`${client}: ${watches.missed.length} watch events missed`] : []),
    ...(watches?.duplicated.length ? [`${client}: ${watches.duplicated.length} watch events seen twice`] : []),
    ...(watches?.disordered.length ? [`${client}: ${watches.disordered.length} watch events out of order`] : []),
  ];
}

function over(
  who: string,
  what: string,
  value: number | 'never' | undefined,
  limit: number | undefined,
): readonly string[] {
  if (value === undefined || limit === undefined) return [];
  if (value === 'never') return [`${who}: ${what}: never, budget ${limit}`];
  return value > limit ? [`${who}: ${value} ${what}, budget ${limit}`] : [];
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
