import { readdir, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../src/drill/history/clock.ts';
import type { Attempt, DrillRecord, Mark, Operation } from '../../src/drill/history/record.ts';
import { type ConnectionsJudged, isFailed, judgeConnections } from '../../src/drill/judge/connections.ts';
import { judge, type OperationsJudged } from '../../src/drill/judge/judge.ts';
import { judgeWatches, type StreamJudged } from '../../src/drill/judge/watches.ts';
import { attemptsOf, type Window } from '../../src/drill/judge/window.ts';
import { prepareAccess } from '../../src/drill/site/access.ts';
import { throughCommand, trafficProgram } from '../../src/drill/traffic/channel.ts';
import { startTraffic, type Traffic } from '../../src/drill/traffic/run-traffic.ts';
import { openSession, silent } from '../../src/index.ts';
import { trafficArgv } from '../../src/lab/drill/traffic-argv.ts';
import { machineCgroups } from '../../src/lab/nspawn/machine-dirs.ts';
import { findPid1 } from '../../src/lab/nspawn/pid1.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';

/** `m1`, or `pod on m1`: a pod with a network of its own that runs there. */
export type RealClient = string;

const patienceMs = 2000;

/**
 * What each client does without a pause: new connections, kept ones, watches, acknowledged writes and reads. `/version` is
 * answered by any apiserver that runs; `/livez` says no where etcd is slow, and that is nobody's way to it.
 */
const wanted = {
  connections: { perSecond: 10, patienceMs, path: '/version' },
  // Patient: what ends one of these is somebody else.
  kept: { count: 2, everyMs: 250, patienceMs: 60_000, path: '/version' },
};

/** What one fault cost one client, in milliseconds from the moment in which it was in force. */
export interface Cost {
  readonly client: string;
  readonly connections: ConnectionsJudged;
  /** When the last new connection that failed was due; 0: none failed. */
  readonly lastFailureDueMs: number;
  /** New connections that failed and are no loss of what the process had in hand when it died. */
  readonly odd: readonly string[];
  /** The longest time without an acknowledged write. */
  readonly noWriteMs: number;
  readonly watchGapMs: number;
  readonly streams: readonly StreamJudged[];
  /** Kept connections that ended: who was at their other end and how long after the fault. */
  readonly keptEnded: readonly { readonly server: string; readonly how: string; readonly afterMs: number }[];
}

export interface RealTraffic extends AsyncDisposable {
  /** Breaks, waits, heals, waits; what that cost each client. */
  act(
    name: string,
    acts: {
      readonly inject: () => Promise<unknown>;
      readonly forMs: number;
      readonly heal?: () => Promise<unknown>;
      readonly afterMs?: number;
    },
  ): Promise<{ readonly window: Window; readonly costs: ReadonlyMap<string, Cost> }>;
  /**
   * Ends every client and starts it anew, so that its kept connections and watches are again where new ones go: those that a
   * fault has driven away do not come back by themselves. What was written and seen before stays part of the history.
   */
  anew(): Promise<void>;
  /** Who answered a client's new connections that were due within this time. */
  answered(client: string, from: number, to: number): readonly string[];
  /** Stops everything and judges all that was seen since the beginning. */
  stop(): Promise<{
    readonly operations: OperationsJudged;
    readonly events: number;
    /** Watch events that a client missed, saw twice or in the wrong order. */
    readonly wrong: readonly string[];
    readonly lateMs: Readonly<Record<string, number>>;
  }>;
}

/** Traffic to the endpoint of a real cluster from inside nodes and pods, as one history from beginning to end. */
export async function realTraffic(lab: Lab, clients: readonly RealClient[]): Promise<RealTraffic> {
  await using session = await openSession({ file: lab.cx.paths.clusterYaml, emit: silent });
  const { signal } = new AbortController();
  const access = await prepareAccess({ ...session, directory: lab.cx.paths.root, signal });
  const { endpoint } = lab.spec;
  const history: DrillRecord[] = [];
  const mark = (what: Mark['what'], text = '') => void history.push({ is: 'mark', at: monotonicMs(), what, text });
  const abort = new AbortController();
  /** One process of one client, and for how long it ran. */
  interface Run {
    readonly client: RealClient;
    readonly name: string;
    readonly beganAt: number;
    readonly traffic: Traffic;
    endedAt: number | undefined;
  }
  const runs: Run[] = [];
  const current = () => runs.filter(({ endedAt }) => endedAt === undefined);
  const start = async () => {
    const generation = runs.length / clients.length + 1;
    const started = await Promise.all(
      clients.map(async (client) => {
        const inside = await placeOf(lab, client);
        const name = generation === 1 ? client : `${client} ${generation}`;
        const traffic = await startTraffic({
          channel: throughCommand((config) => inside([process.execPath, trafficProgram, config])),
          config: {
            ...access.local,
            servers: access.servers,
            client: name,
            host: endpoint.domain ?? endpoint.addresses[0]?.text ?? '',
            port: endpoint.port,
            ...wanted,
            watches: { count: 2, path: access.paths.watch },
            operations: { perSecond: 4, patienceMs, path: access.paths.operate, register: 'register', set: 'set' },
          },
          onRecord: (record) => history.push(record),
          signal: abort.signal,
          startTimeout: 60_000,
        });
        return { client, name, traffic };
      }),
    );
    for (const { client, name, traffic } of started) {
      traffic.go();
      runs.push({ client, name, traffic, beganAt: monotonicMs(), endedAt: undefined });
    }
    // The first handshakes of a process are slow ones.
    await sleep(1500);
  };
  const end = async () => {
    const ending = current();
    // Before they stop: what is written after that they need not see.
    for (const run of ending) run.endedAt = monotonicMs();
    const early = (await Promise.all(ending.map(({ traffic }) => traffic.stop()))).filter((why) => why !== undefined);
    if (early.length > 0) throw new Error(early.join('\n'));
  };
  await start();
  mark('begin', 'all');
  let stopped = false;

  return {
    async anew() {
      await end();
      await start();
    },
    answered: (client, from, to) => [
      ...new Set(
        attemptsOf(history, current().find((run) => run.client === client)?.name ?? client, 'new')
          .filter((a) => a.scheduledAt >= from && a.scheduledAt <= to && !isFailed(a))
          .flatMap(({ server }) => server ?? []),
      ),
    ],
    async act(name, { inject, forMs, heal, afterMs = 3000 }) {
      const beginAt = monotonicMs();
      await sleep(2000);
      const injectAt = monotonicMs();
      try {
        await inject();
      } catch (error) {
        // What is half broken would spoil every test after this one.
        await heal?.();
        throw error;
      }
      const faultAt = monotonicMs();
      await sleep(forMs);
      let healedAt: number | undefined;
      if (heal !== undefined) {
        await heal();
        healedAt = monotonicMs();
        await sleep(afterMs);
      }
      const window: Window = { beginAt, injectAt, faultAt, healedAt, endAt: monotonicMs() };
      // What is still on its way has to be in the history: patience, and the batches in which records come.
      await sleep(patienceMs + 500);
      const costs = new Map(current().map((run) => [run.client, costOf(history, run.name, window)]));
      console.log(
        `${name} (in force after ${Math.round(faultAt - injectAt)} ms)\n${[...costs.values()].map(inWords).join('\n')}`,
      );
      return { window, costs };
    },
    async stop() {
      stopped = true;
      mark('fault', 'all');
      mark('end', 'all');
      await end();
      const { operations } = judge(history, { budget: { clients: {} }, watched: 'acknowledged' });
      const all = history.filter((r): r is Operation => r.is === 'operation');
      let events = 0;
      const wrong = runs.flatMap(({ name, beganAt, endedAt = monotonicMs() }) => {
        const window = { beginAt: beganAt, injectAt: beganAt, faultAt: beganAt, healedAt: undefined, endAt: endedAt };
        const seen = judgeWatches(history, name, window, { is: 'acknowledged', operations: all });
        events += seen.events;
        return [
          ...seen.missed.map((what) => `${name} missed ${what}`),
          ...seen.duplicated.map((what) => `${name} saw twice ${what}`),
          ...seen.disordered.map((what) => `${name} saw out of order ${what}`),
        ];
      });
      const lateMs = Object.fromEntries(
        history.flatMap((r) => (r.is === 'engine' ? [[r.client, r.lateMs.p99] as const] : [])),
      );
      return { operations, events, wrong, lateMs };
    },
    async [Symbol.asyncDispose]() {
      if (!stopped) abort.abort();
    },
  };
}

function costOf(history: readonly DrillRecord[], client: string, window: Window): Cost {
  const { faultAt, injectAt, endAt } = window;
  const operations = history.filter((r): r is Operation => r.is === 'operation');
  const attempts = attemptsOf(history, client, 'new').filter((a) => a.scheduledAt <= endAt);
  const failed = attempts.filter((a) => a.endedAt >= injectAt && isFailed(a));
  const watches = judgeWatches(history, client, window, { is: 'acknowledged', operations });
  return {
    client,
    connections: judgeConnections(attempts, window),
    lastFailureDueMs: Math.round(Math.max(0, ...failed.map((a) => a.scheduledAt - faultAt))),
    odd: failed.filter(({ outcome }) => outcome.is !== 'reset' && outcome.is !== 'closed').map(failureText),
    noWriteMs: longestWithoutWrite(operations, client, window),
    watchGapMs: Math.round(watches.longestGapMs),
    streams: watches.streams,
    keptEnded: attemptsOf(history, client, 'kept')
      .filter((a) => a.endedAt >= injectAt && a.scheduledAt <= endAt && isFailed(a) && a.outcome.is !== 'http')
      .map((a) => ({ server: a.server ?? '', how: a.outcome.is, afterMs: Math.round(a.endedAt - faultAt) })),
  };
}

const failureText = ({ outcome, server }: Attempt) =>
  [server, outcome.is, 'during' in outcome ? outcome.during : '', 'status' in outcome ? outcome.status : '']
    .filter(Boolean)
    .join(' ');

function longestWithoutWrite(
  operations: readonly Operation[],
  client: string,
  { beginAt, injectAt, endAt }: Window,
): number {
  const times = operations
    .filter((o) => o.client === client && o.result === 'ok' && (o.does.op === 'write' || o.does.op === 'add'))
    .map((o) => o.endedAt)
    .filter((at) => at >= beginAt && at <= endAt);
  const row = [times.findLast((at) => at < injectAt) ?? beginAt, ...times.filter((at) => at >= injectAt), endAt];
  return Math.round(Math.max(0, ...row.slice(1).map((at, i) => at - (row[i] ?? at))));
}

function inWords({
  client,
  connections: c,
  lastFailureDueMs,
  noWriteMs,
  watchGapMs,
  streams,
  keptEnded,
}: Cost): string {
  const failures = Object.entries(c.failures).map(([what, count]) => `${count} ${what}`);
  return [
    `  ${client.padEnd(10)} new: ${c.failed} of ${c.attempts} failed${failures.length === 0 ? '' : ` (${failures.join(', ')}; the last due at ${lastFailureDueMs} ms)`}`,
    `outage ${c.longestOutageMs} ms`,
    `steady after ${c.steadyAfterMs}`,
    `no acknowledged write for ${noWriteMs} ms`,
    `no watch event for ${watchGapMs} ms`,
    `streams ${streams.map((s) => `${s.server} ${s.is}${s.endedAfterMs === undefined ? '' : ` at ${s.endedAfterMs} ms`}`).join(', ')}`,
    `kept ended: ${keptEnded.map((k) => `${k.server} ${k.how} at ${k.afterMs} ms`).join(', ') || 'none'}`,
  ].join('; ');
}

/** How a program of this machine is started inside a client's network. */
async function placeOf(lab: Lab, client: RealClient): Promise<(argv: readonly string[]) => readonly string[]> {
  const node = /^pod on (\S+)$/.exec(client)?.[1];
  if (node === undefined) return (argv) => trafficArgv(lab.cx, client, argv);
  const netns = await podNetns(lab, node);
  return (argv) => trafficArgv(lab.cx, node, ['nsenter', `--net=${netns}`, ...argv]);
}

/** The network namespace of a pod of this node that has one of its own, as a path of this machine. */
export async function podNetns(lab: Lab, node: string): Promise<string> {
  const pid1 = findPid1(machineCgroups(lab.cx, node));
  const dir = `/proc/${pid1}/root/run/netns`;
  const names = (await readdir(dir)).filter((name) => name.startsWith('cni-'));
  for (const name of names) {
    const show = ['ip', '-oneline', 'address', 'show', 'scope', 'global'];
    const { exitCode, stdout } = await lab.cx.run(['nsenter', `--net=${dir}/${name}`, ...show]);
    if (exitCode === 0 && stdout.trim() !== '') return `${dir}/${name}`;
  }
  throw new Error(`No pod with a network of its own runs on ${node} (${await readlink(`/proc/${pid1}/root`)})`);
}
