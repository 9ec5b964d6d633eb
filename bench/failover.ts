import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../src/drill/history/clock.ts';
import type { DrillRecord, EngineReport } from '../src/drill/history/record.ts';
import { isFailed } from '../src/drill/judge/connections.ts';
import { judge } from '../src/drill/judge/judge.ts';
import { attemptsOf } from '../src/drill/judge/window.ts';
import { throughCommand, trafficProgram } from '../src/drill/traffic/channel.ts';
import { startTraffic } from '../src/drill/traffic/run-traffic.ts';
import { trafficArgv } from '../src/lab/drill/traffic-argv.ts';
import { withFault } from '../src/lab/faults/break.ts';
import { openLab } from '../src/lab/runtime/open-lab.ts';
import type { Lab } from '../src/lab/runtime/start-lab.ts';
import { setStandin } from '../src/lab/standin/control.ts';
import { startStandin } from '../src/lab/standin/start.ts';
import { standinPid, wireLab } from '../test/support/balancer-lab.ts';
import { haproxyKubeadm, haproxyKubespray } from './peers/haproxy.ts';
import { vipKubeadm } from './peers/keepalived.ts';
import { nginxKubeasz, nginxKubespray } from './peers/nginx.ts';
import { missing, type Peer, type RunningPeer } from './peers/peer.ts';
import { steer, steerMaster, steerNeighbour } from './peers/steer.ts';
import { loadNow, readStored, writeDoc, writeStored } from './report/store.ts';
import { type Bar, bars } from './report/svg.ts';
import { markdownTable, plainTable } from './report/table.ts';

// `npm run bench:failover [-- --quick] [--again] [--only FAULT] [--peer NAME,…] [--together N] [--report]`: what a fault of
// one of three apiservers costs clients behind each peer. N peers (default 3) are broken by the same fault at the same
// moment, each with a client of its own; keepalived needs another kind of network and is measured by itself. A client
// opens 50 new TLS connections a second with 2 s of patience and keeps 6 watches. Results are kept as they come: run it
// again to go on; a row of a disturbed machine says so and is made again.

const file = 'failover.json';
const perSecond = 50;
const patienceMs = 2000;
const streams = 6;

interface Fault {
  readonly name: 'crash' | 'hang' | 'silent loss' | 'planned drain';
  /** For how long it is watched: peers take 36 s and more to see a hang, and streams end after 20 or 45 s. */
  readonly watchMs: number;
  readonly quickMs: number;
  readonly runs: number;
  /** Breaks m1 and says when; what is given heals it. */
  inject(lab: Lab): Promise<{ readonly at: number; readonly heal: () => Promise<unknown> }>;
}

const faults: readonly Fault[] = [
  {
    name: 'crash',
    watchMs: 15_000,
    quickMs: 8000,
    runs: 3,
    async inject(lab) {
      const pid = await standinPid(lab, 'm1');
      process.kill(pid, 'SIGKILL');
      return { at: monotonicMs(), heal: () => startStandin(lab.cx, 'm1') };
    },
  },
  {
    name: 'hang',
    watchMs: 125_000,
    quickMs: 12_000,
    runs: 1,
    async inject(lab) {
      const pid = await standinPid(lab, 'm1');
      process.kill(pid, 'SIGSTOP');
      return { at: monotonicMs(), heal: async () => process.kill(pid, 'SIGCONT') };
    },
  },
  {
    name: 'silent loss',
    watchMs: 125_000,
    quickMs: 12_000,
    runs: 1,
    async inject(lab) {
      const fault = await withFault(await openLab(lab.name), { fault: 'silent', target: 'm1' });
      return { at: monotonicMs(), heal: () => Promise.resolve(fault[Symbol.asyncDispose]()) };
    },
  },
  {
    name: 'planned drain',
    watchMs: 20_000,
    quickMs: 12_000,
    runs: 1,
    // As an apiserver with a shutdown delay ends: /readyz says no at once, all else goes on; after that it is gone.
    async inject(lab) {
      const at = monotonicMs();
      await setStandin(lab.cx.paths, 'm1', { ready: false });
      await sleep(5000);
      process.kill(await standinPid(lab, 'm1'), 'SIGTERM');
      return { at, heal: () => startStandin(lab.cx, 'm1') };
    },
  },
];

interface Row {
  readonly peer: string;
  readonly fault: string;
  readonly run: number;
  readonly quick: boolean;
  readonly attempts: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly longestOutageMs: number;
  readonly allGoodAfterMs: number | 'never';
  readonly steadyAfterMs: number | 'never';
  readonly slowestMs: number;
  /** Streams on the master that was broken: milliseconds to their end, or what else became of them. */
  readonly ownStreams: readonly (number | string)[];
  readonly otherStreams: readonly string[];
  /** Failed in each 5 s after the fault. */
  readonly per5s: readonly number[];
  readonly lateMs: EngineReport['lateMs'];
  readonly bad: readonly string[];
  readonly load: number;
}

const args = process.argv.slice(2);
/** Each client costs this machine 50 handshakes a second, both ends included. */
const together = args.includes('--together') ? Number(args[args.indexOf('--together') + 1]) : 3;
const quick = args.includes('--quick');
const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined;
const onlyPeers = args.includes('--peer') ? (args[args.indexOf('--peer') + 1] ?? '').split(',') : undefined;
const isAsked = (peer: string) => onlyPeers?.includes(peer) ?? true;
const stored = readStored<Row>(file);
if (args.includes('--again')) {
  stored.rows = stored.rows.filter(({ peer, fault }) => !(isAsked(peer) && (only === undefined || only === fault)));
}

if (!args.includes('--report')) {
  const side: readonly { readonly peer: Peer; readonly client: string }[] = [
    { peer: steerMaster, client: 'm1' },
    { peer: steer, client: 'w1' },
    { peer: steerNeighbour, client: 'm2' },
    { peer: haproxyKubespray, client: 'w2' },
    { peer: haproxyKubeadm, client: 'w3' },
    { peer: nginxKubespray, client: 'w4' },
    { peer: nginxKubeasz, client: 'w5' },
  ];
  for (let first = 0; first < side.length; first += together) {
    await measure('bench-fo', side.slice(first, first + together), { workers: 5, balancer: { like: 'drop' } });
  }
  await measure('bench-vip', [{ peer: vipKubeadm, client: 'w1' }], {
    workers: 1,
    network: { kind: 'segment' },
    balancer: { like: 'one-arm' },
  });
}
report(stored.rows);

async function measure(
  name: string,
  wanted: readonly { readonly peer: Peer; readonly client: string }[],
  input: Parameters<typeof wireLab>[0],
): Promise<void> {
  const there = wanted.filter(({ peer }) => {
    if (!isAsked(peer.name)) return false;
    const without = missing(peer);
    if (without.length > 0) console.log(`without ${peer.name}: ${without.join(', ')} is not installed`);
    return without.length === 0;
  });
  const todo = faults
    .filter((fault) => only === undefined || fault.name === only)
    .flatMap((fault) => Array.from({ length: quick ? 1 : fault.runs }, (_, run) => ({ fault, run })))
    .filter(({ fault, run }) => there.some(({ peer }) => sensible(peer, fault) && !isDone(peer, fault, run)));
  if (todo.length === 0 || there.length === 0) return;
  await using lab = await wireLab({ name, masters: 3, clients: 1, ...input });
  await using stack = new AsyncDisposableStack();
  const running: { readonly peer: Peer; readonly client: string; readonly at: RunningPeer }[] = [];
  for (const { peer, client } of there) {
    running.push({ peer, client, at: stack.use(await peer.start(lab, client)) });
  }
  // Agents trust an apiserver after two good answers; workers ask seldom.
  await sleep(quick ? 12_000 : 20_000);
  for (const { fault, run } of todo) {
    console.log(`${fault.name}, run ${run + 1}, ${running.length} peers at once, load ${loadNow()}`);
    const asked = running.filter(({ peer }) => sensible(peer, fault));
    await once(lab, asked, fault, run);
    // haproxy of kubespray takes a server back after 2 × 15 s and slows its start for 60 s more; nginx after 10 s.
    await sleep(quick ? 8000 : 45_000);
  }
}

/** A client on the machine that is cut off sees nothing but that; nobody could help it. Another master speaks for masters. */
function sensible(peer: Peer, fault: Fault): boolean {
  if (peer.name === steerNeighbour.name) return fault.name === 'silent loss';
  return !(peer.name === steerMaster.name && fault.name === 'silent loss');
}

function isDone(peer: Peer, fault: Fault, run: number): boolean {
  return stored.rows.some(
    (row) =>
      row.peer === peer.name &&
      row.fault === fault.name &&
      row.run === run &&
      (quick || !row.quick) &&
      row.bad.length === 0,
  );
}

async function once(
  lab: Lab,
  running: readonly { readonly peer: Peer; readonly client: string; readonly at: RunningPeer }[],
  fault: Fault,
  run: number,
): Promise<void> {
  const history: DrillRecord[] = [];
  const abort = new AbortController();
  const load = loadNow();
  const traffic = await Promise.all(
    running.map(({ peer, client, at }) =>
      startTraffic({
        channel: throughCommand((config) => trafficArgv(lab.cx, client, [process.execPath, trafficProgram, config])),
        config: {
          client: peer.name,
          host: at.host,
          port: at.port,
          servers: 'header',
          connections: { perSecond, patienceMs, path: '/livez' },
          watches: { count: streams, path: '/api/v1/namespaces/lab/configmaps' },
        },
        onRecord: (record) => history.push(record),
        signal: abort.signal,
      }),
    ),
  );
  for (const one of traffic) one.go();
  await sleep(2000);
  history.push({ is: 'mark', at: monotonicMs(), what: 'begin', text: '' });
  await sleep(4000);
  const { at, heal } = await fault.inject(lab);
  history.push({ is: 'mark', at, what: 'fault', text: fault.name });
  await sleep(quick ? fault.quickMs : fault.watchMs);
  history.push({ is: 'mark', at: monotonicMs(), what: 'end', text: '' });
  await Promise.all(traffic.map((one) => one.stop()));
  await heal();
  await setStandin(lab.cx.paths, 'm1', { ready: true });
  for (const { peer } of running) {
    const row = rowOf(history, peer.name, fault, run, load);
    stored.rows = [...stored.rows.filter((r) => r.peer !== row.peer || r.fault !== row.fault || r.run !== run), row];
    if (row.bad.length > 0) console.log(`  ${peer.name}: a bad experiment: ${row.bad.join('; ')}`);
  }
  writeStored(file, stored);
}

function rowOf(all: readonly DrillRecord[], peer: string, fault: Fault, run: number, load: number): Row {
  const history = all.filter((record) => !('client' in record) || record.client === peer);
  const judged = judge(history, { budget: { clients: {} }, watched: 'every' });
  const [client] = judged.clients;
  const { connections, watches } = client ?? {};
  const window = judged.window;
  if (connections === undefined || window === undefined) throw new Error(`${peer} has no history`);
  const failed = attemptsOf(history, peer, 'new').filter((a) => isFailed(a) && a.endedAt >= window.faultAt);
  const per5s = Array.from({ length: Math.ceil((window.endAt - window.faultAt) / 5000) }, () => 0);
  for (const { scheduledAt } of failed) {
    const bin = Math.max(0, Math.floor((scheduledAt - window.faultAt) / 5000));
    per5s[bin] = (per5s[bin] ?? 0) + 1;
  }
  const engine = history.find((r): r is EngineReport => r.is === 'engine');
  return {
    peer,
    fault: fault.name,
    run,
    quick,
    attempts: connections.attempts,
    failed: connections.failed,
    failures: connections.failures,
    longestOutageMs: connections.longestOutageMs,
    allGoodAfterMs: connections.allGoodAfterMs,
    steadyAfterMs: connections.steadyAfterMs,
    slowestMs: connections.afterMs.max,
    ownStreams: (watches?.streams ?? []).filter((s) => s.server === 'm1').map((s) => s.endedAfterMs ?? s.is),
    otherStreams: (watches?.streams ?? []).filter((s) => s.server !== 'm1').map((s) => s.is),
    per5s,
    lateMs: engine?.lateMs ?? { p50: 0, p99: 0, max: 0 },
    bad: judged.verdict.is === 'bad-experiment' ? judged.verdict.reasons : [],
    load,
  };
}

function report(rows: readonly Row[]): void {
  const head = [
    'peer',
    'runs',
    'failed / started',
    'longest outage',
    'all good after',
    'steady after',
    'own streams end',
    'other streams',
  ];
  const order = [
    steerMaster,
    steerNeighbour,
    steer,
    haproxyKubespray,
    haproxyKubeadm,
    nginxKubespray,
    nginxKubeasz,
    vipKubeadm,
  ];
  const sections = faults.flatMap(({ name }) => {
    const lines = order.flatMap((peer) => {
      const own = rows.filter((row) => row.peer === peer.name && row.fault === name);
      if (own.length === 0) return [];
      const all = (of: (row: Row) => string) => [...new Set(own.map(of))].join(', ');
      const note = own.some((row) => row.quick) ? ' (quick)' : '';
      return [
        [
          `${peer.name}${own.some((row) => row.bad.length > 0) ? ' (!)' : ''}`,
          `${own.length}${note}`,
          own.map((row) => `${row.failed}/${row.attempts}`).join(', '),
          all((row) => time(row.longestOutageMs)),
          all((row) => time(row.allGoodAfterMs)),
          all((row) => time(row.steadyAfterMs)),
          streamsInWords(own.flatMap((row) => row.ownStreams)),
          streamsInWords(own.flatMap((row) => row.otherStreams)),
        ],
      ];
    });
    return lines.length === 0 ? [] : [{ name, lines }];
  });
  for (const { name, lines } of sections)
    console.log(`\n${name} of one of three apiservers\n${plainTable(head, lines)}`);
  const text = sections.map(({ name, lines }) => `## ${name}\n\n${markdownTable(head, lines)}\n`).join('\n');
  writeDoc(
    'failover.md',
    `# Failover, side by side\n\nMade by \`npm run bench:failover\` on ${stored.machine}. ${perSecond} new TLS connections a second a client, ${patienceMs / 1000} s of\npatience, ${streams} watches; peers of one lab are broken by the same fault at the same moment. \`(!)\`: the engine or the cluster was\ndisturbed before the fault, see failover.json. Peers and their numbers:\n\n${order.map((p) => `- \`${p.name}\`: ${p.what}`).join('\n')}\n\n![](failover.svg)\n\n${text}`,
  );
  const groups = sections.map(({ name }) => ({
    title: `${name}: failed connections`,
    log: true,
    bars: order.flatMap((peer): Bar[] => {
      const own = rows.filter((row) => row.peer === peer.name && row.fault === name);
      if (own.length === 0) return [];
      const worst = Math.max(...own.map((row) => row.failed));
      const until = own.map((row) => time(row.allGoodAfterMs)).at(-1) ?? '';
      return [
        {
          label: peer.name,
          value: worst,
          text: `${worst}, all good after ${until}`,
          ours: peer.name.startsWith('steer'),
        },
      ];
    }),
  }));
  writeDoc('failover.svg', bars('One of three apiservers fails', groups));
}

function time(ms: number | 'never'): string {
  if (ms === 'never') return 'never';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function streamsInWords(ends: readonly (number | string)[]): string {
  if (ends.length === 0) return '–';
  const times = ends.filter((end): end is number => typeof end === 'number').toSorted((a, b) => a - b);
  const words = new Map<string, number>();
  for (const end of ends) if (typeof end === 'string') words.set(end, (words.get(end) ?? 0) + 1);
  const first = times[0];
  const last = times.at(-1);
  const ended =
    first === undefined || last === undefined ? [] : [first === last ? time(first) : `${time(first)}–${time(last)}`];
  return [...ended, ...[...words].map(([word, count]) => `${count} ${word}`)].join(', ');
}
