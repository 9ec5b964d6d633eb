import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pkiFiles } from '../src/lab/pki/pki.ts';
import type { Lab } from '../src/lab/runtime/start-lab.ts';
import { standinPid, wireLab } from '../test/support/balancer-lab.ts';
import { haproxyKubeadm, haproxyKubespray } from './peers/haproxy.ts';
import { nginxKubeasz, nginxKubespray } from './peers/nginx.ts';
import { missing, type Peer, type RunningPeer } from './peers/peer.ts';
import { configFile, mastersOf, runInside, untilAnswers } from './peers/process.ts';
import { steer } from './peers/steer.ts';
import { loadNow, readStored, writeDoc, writeStored } from './report/store.ts';
import { bars } from './report/svg.ts';
import { markdownTable, plainTable } from './report/table.ts';

// `npm run bench:dataplane [-- --quick] [--again] [--ours] [--report]`: what it costs a request to go through each peer, by
// wrk. On few cores only equal spreads can be compared, so there are two baselines: direct to one apiserver, and direct to
// three with the connections dealt out evenly. `tracked` is direct with nothing but connection tracking switched on, which
// kube-proxy does on every node of Kubernetes: what steering adds to it is ours. All arms take turns within a round.
// haproxy plays the apiservers: it answers by itself, and what is measured is not how fast Node is. Certificates are ECDSA
// P-256, so that the handshake hides less. `--ours` leaves the proxies out.

const file = 'dataplane.json';

interface Row {
  readonly arm: string;
  readonly round: number;
  readonly quick: boolean;
  /** Requests a second over kept connections, 33 of them. */
  readonly keptPerSecond: number;
  /** TLS connections a second, each for one request. */
  readonly newPerSecond: number;
  /** Median of one request at a time over one kept connection. */
  readonly medianUs: number;
  /** Processor time of the lab (client, servers, what is between them) for 10,000 kept requests. */
  readonly cpuMsPer10k: number;
  readonly load: number;
}

interface Arm {
  readonly name: string;
  readonly rounds?: number;
  readonly machine: string;
  /** Where thread i of wrk goes. */
  readonly targets: readonly string[];
}

/** Thread i of wrk talks to target i of ENV, and says `connection: close` where asked to. */
const spreadScript = `
local n = 0
function setup(thread)
  local targets = {}
  for t in string.gmatch(os.getenv("TARGETS"), "%S+") do targets[#targets + 1] = t end
  local target = targets[n % #targets + 1]
  n = n + 1
  local host, port = string.match(target, "^(.*):(%d+)$")
  for _, addr in ipairs(wrk.lookup(host, port)) do
    thread.addr = addr
    return
  end
end
function init(args)
  if os.getenv("CLOSE") == "1" then wrk.headers["Connection"] = "close" end
end
`;

const args = process.argv.slice(2);
const quick = args.includes('--quick');
/** Many short turns: what drifts on a shared machine drifts within minutes. */
const seconds = 2;
const rounds = quick ? 1 : 12;
/** Proxies are far off; nobody needs their third digit. */
const roundsOfProxies = 3;
const stored = readStored<Row>(file);
if (args.includes('--again')) stored.rows = [];
if (!args.includes('--report')) await measure();
report(stored.rows);

async function measure(): Promise<void> {
  await using lab = await wireLab({ name: 'bench-dp', masters: 3, workers: 7, clients: 1, balancer: { like: 'drop' } });
  await using stack = new AsyncDisposableStack();
  await playApiservers(lab, stack);
  const masters = mastersOf(lab).map(({ address }) => `${address}:${lab.spec.apiServerPort}`);
  const at = (peer: RunningPeer) => `${peer.host}:${peer.port}`;
  await track(lab, 'm3');
  await track(lab, 'w2');
  const arms: Arm[] = [
    // Each arm has a machine of its own, so that nobody else's rules are in its way.
    { name: 'direct, one', machine: 'm2', targets: masters.slice(1, 2) },
    { name: 'tracked, one', machine: 'm3', targets: masters.slice(2, 3) },
    { name: 'steer, one (self)', machine: 'm1', targets: [at(stack.use(await steer.start(lab, 'm1')))] },
    { name: 'direct, three', machine: 'w1', targets: masters },
    { name: 'tracked, three', machine: 'w2', targets: masters },
    { name: 'steer, three', machine: 'w3', targets: [at(stack.use(await steer.start(lab, 'w3')))] },
  ];
  const proxies: readonly (readonly [Peer, string])[] = [
    [haproxyKubespray, 'w4'],
    [haproxyKubeadm, 'w5'],
    [nginxKubespray, 'w6'],
    [nginxKubeasz, 'w7'],
  ];
  for (const [peer, machine] of args.includes('--ours') ? [] : proxies) {
    const without = missing(peer);
    if (without.length > 0) {
      console.log(`without ${peer.name}: ${without.join(', ')} is not installed`);
      continue;
    }
    const running = stack.use(await peer.start(lab, machine));
    arms.push({ name: peer.name, machine, targets: [at(running)], rounds: roundsOfProxies });
  }
  await sleep(quick ? 12_000 : 20_000);
  await using script = await configFile('spread.lua', spreadScript);
  for (let round = 0; round < rounds; round += 1) {
    for (const arm of arms) {
      if (round >= (arm.rounds ?? rounds)) continue;
      if (stored.rows.some((r) => r.arm === arm.name && r.round === round && (quick || !r.quick))) continue;
      const row = await measureArm(lab, arm, round, script.file);
      stored.rows = [...stored.rows.filter((r) => r.arm !== arm.name || r.round !== round), row];
      writeStored(file, stored);
      console.log(`round ${round + 1}  ${arm.name.padEnd(18)} ${row.keptPerSecond} req/s  ${row.newPerSecond} conn/s`);
    }
  }
}

async function measureArm(lab: Lab, arm: Arm, round: number, script: string): Promise<Row> {
  const load = loadNow();
  const wrk = async (opts: { threads: number; connections: number; close: boolean }) => {
    const url = `https://${arm.targets[0]}/readyz`;
    const argv = [
      '/usr/bin/wrk',
      `-t${opts.threads}`,
      `-c${opts.connections}`,
      `-d${seconds}s`,
      '--latency',
      '-s',
      script,
      url,
    ];
    const { stdout, stderr, exitCode } = await lab.exec(arm.machine, argv, {
      env: { ...process.env, TARGETS: arm.targets.join(' '), CLOSE: opts.close ? '1' : '0' } as Record<string, string>,
    });
    if (exitCode !== 0) throw new Error(`wrk for ${arm.name}: ${stderr}${stdout}`);
    return stdout;
  };
  const before = cpuOf(lab);
  const kept = await wrk({ threads: 3, connections: 33, close: false });
  const cpuMs = cpuOf(lab) - before;
  const requests = Number(/(\d+) requests in/.exec(kept)?.[1] ?? Number.NaN);
  const fresh = await wrk({ threads: 3, connections: 33, close: true });
  const one = await wrk({ threads: 1, connections: 1, close: false });
  return {
    arm: arm.name,
    round,
    quick,
    keptPerSecond: Math.round(perSecond(kept)),
    newPerSecond: Math.round(perSecond(fresh)),
    medianUs: median(one),
    cpuMsPer10k: Math.round((cpuMs / requests) * 10_000),
    load,
  };
}

function perSecond(text: string): number {
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? Number.NaN);
}

function median(text: string): number {
  const [, value, unit] = /50%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  return Math.round(Number(value) * ({ us: 1, ms: 1e3, s: 1e6 }[unit ?? ''] ?? Number.NaN));
}

/** Milliseconds that the lab's processes have used. */
function cpuOf(lab: Lab): number {
  for (const dir of lab.cx.cgroups) {
    try {
      return Number(readFileSync(join(dir, 'cpuacct.usage'), 'utf8')) / 1e6;
    } catch {
      // Not this hierarchy.
    }
    try {
      return Number(/usage_usec (\d+)/.exec(readFileSync(join(dir, 'cpu.stat'), 'utf8'))?.[1] ?? Number.NaN) / 1000;
    } catch {
      // Nor this one.
    }
  }
  return Number.NaN;
}

/** Switches connection tracking on in a machine, in both directions, and nothing else. */
async function track(lab: Lab, machine: string): Promise<void> {
  const hook = (name: string) => `chain ${name} {\ntype filter hook ${name} priority 0;\nct state invalid counter\n}`;
  await using file = await configFile('track.nft', `table ip track {\n${hook('output')}\n${hook('input')}\n}\n`);
  const { exitCode, stderr } = await lab.exec(machine, ['nft', '-f', file.file]);
  if (exitCode !== 0) throw new Error(`nft on ${machine}: ${stderr}`);
}

/** haproxy in the place of the stand-ins, with their certificates. */
async function playApiservers(lab: Lab, stack: AsyncDisposableStack): Promise<void> {
  for (const { name } of mastersOf(lab)) {
    process.kill(await standinPid(lab, name), 'SIGKILL');
    const { certFile, keyFile } = pkiFiles(lab.cx.paths).server(name);
    const pem = stack.use(
      await configFile('server.pem', `${readFileSync(certFile, 'utf8')}\n${readFileSync(keyFile, 'utf8')}\n`, 0o600),
    );
    const config = stack.use(
      await configFile(
        'haproxy.cfg',
        `
global
  maxconn 4000
  nbthread 1
  # A resumed session costs half: where connections are spread, two in three would not be resumed.
  tune.ssl.cachesize 0
defaults
  mode http
  timeout client 1m
  timeout server 1m
  timeout connect 5s
frontend api
  bind :::${lab.spec.apiServerPort} v4v6 ssl crt ${pem.file} alpn h2,http/1.1 no-tls-tickets
  http-request return status 200 content-type text/plain string ok
`,
      ),
    );
    stack.use(await runInside(lab, name, ['/usr/sbin/haproxy', '-db', '-f', config.file]));
    await untilAnswers(lab, name, `https://127.0.0.1:${lab.spec.apiServerPort}/readyz`);
  }
}

function report(rows: readonly Row[]): void {
  const names = [...new Set(rows.map((row) => row.arm))];
  const spreadOf = (arm: string) => (/one/.test(arm) ? 'one' : 'three');
  const of = (arm: string) => rows.filter((row) => row.arm === arm);
  /** Ratio of each round to the baseline of the same spread: what drifts between rounds cancels. */
  const ratios = (arm: string, to: 'direct' | 'tracked', value: (row: Row) => number) =>
    of(arm).flatMap((row) => {
      const base = of(`${to}, ${spreadOf(arm)}`).find((r) => r.round === row.round);
      return base === undefined ? [] : [value(row) / value(base)];
    });
  const head = [
    'arm',
    'rounds',
    'kept req/s',
    'of direct',
    'of tracked',
    'new conn/s',
    'of direct',
    'of tracked',
    'median',
    'added',
    'CPU for 10,000',
    'of direct',
    'of tracked',
  ];
  const ratio = (values: readonly number[]) =>
    values.length === 0 ? '–' : `${middle(values).toFixed(2)} (${span(values)})`;
  const lines = names.map((arm) => {
    const own = of(arm);
    const base = of(`direct, ${spreadOf(arm)}`);
    const medianUs = middle(own.map((r) => r.medianUs));
    const both = (value: (row: Row) => number) =>
      (['direct', 'tracked'] as const).map((to) => ratio(ratios(arm, to, value)));
    return [
      arm,
      `${own.length}${own.some((r) => r.quick) ? ' (quick)' : ''}`,
      String(middle(own.map((r) => r.keptPerSecond))),
      ...both((r) => r.keptPerSecond),
      String(middle(own.map((r) => r.newPerSecond))),
      ...both((r) => r.newPerSecond),
      `${medianUs} µs`,
      `${medianUs - middle(base.map((r) => r.medianUs))} µs`,
      `${middle(own.map((r) => r.cpuMsPer10k))} ms`,
      ...both((r) => r.cpuMsPer10k),
    ];
  });
  console.log(`\n${plainTable(head, lines)}`);
  writeDoc(
    'dataplane.md',
    `# Data path, side by side\n\nMade by \`npm run bench:dataplane\` on ${stored.machine}: \`wrk -t3 -c33\`, HTTPS \`GET /readyz\` answered by\nhaproxy on each of three masters, all arms in turn in each round; ratios are medians of (arm / direct with the same spread) of one round,\nwith their range. CPU is that of client, servers and what is between them. *median* is one request at a time.\n\n![](dataplane.svg)\n\n${markdownTable(head, lines)}\n`,
  );
  const drawn = (title: string, value: (row: Row) => number) => ({
    title,
    bars: names.map((arm) => {
      const share = middle(ratios(arm, 'direct', value));
      return { label: arm, value: share, text: share.toFixed(2), ours: arm.startsWith('steer') };
    }),
  });
  writeDoc(
    'dataplane.svg',
    bars('Share of direct with the same spread', [
      drawn('requests over kept connections', (r) => r.keptPerSecond),
      drawn('new TLS connections', (r) => r.newPerSecond),
    ]),
  );
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function span(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
}
