import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decide, type Fleet, newFleet, observeMember, tick } from '../../src/agent/backend/fleet.ts';
import { startBeat } from '../../src/agent/beat.ts';
import { keepProbing } from '../../src/agent/prober/connection.ts';
import { masterTiming } from '../../src/agent/prober/timing.ts';
import { askControl, untilControl } from '../../src/lab/control/client.ts';
import { ensurePki } from '../../src/lab/pki/pki.ts';
import type { StandinConfig } from '../../src/lab/standin/control.ts';
import type { Topology } from '../../src/lab/topology/topology.ts';
import { address } from '../../src/std/address.ts';

// Real processes on loopback: two stand-ins, one of them frozen, killed and switched; the other says what is normal.

const main = new URL('../../src/lab/standin/standin.main.ts', import.meta.url).pathname;
const drawing = {
  spec: { endpoint: { domain: undefined, addresses: [address('127.0.0.1')] } },
  balancer: { addresses: [], vips: [] },
  machines: [],
} as unknown as Topology;

interface Standin {
  readonly child: ChildProcess;
  readonly port: number;
  readonly socket: string;
}

let dir: string;
let ca: string;
let children: ChildProcess[] = [];
let servers: Http2SecureServer[] = [];
let stop: AbortController;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-agent-'));
  stop = new AbortController();
  const pki = await ensurePki(drawing, { pki: join(dir, 'pki') });
  ca = await readFile(pki.caFile, 'utf8');
});

afterEach(async () => {
  stop.abort();
  for (const child of children) child.kill('SIGKILL');
  children = [];
  for (const server of servers) server.close();
  servers = [];
  await rm(dir, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '::');
  await once(server, 'listening');
  const found = server.address();
  server.close();
  await once(server, 'close');
  return typeof found === 'object' && found !== null ? found.port : 0;
}

async function startStandin(name: string, port?: number): Promise<Standin> {
  const pki = await ensurePki(drawing, { pki: join(dir, 'pki') });
  const config: StandinConfig = {
    machine: name,
    port: port ?? (await freePort()),
    ...pki.server('balancer'),
    socket: join(dir, `${name}.sock`),
  };
  await writeFile(join(dir, `${name}.json`), JSON.stringify(config));
  const child = spawn(process.execPath, [main, join(dir, `${name}.json`)], { stdio: 'inherit' });
  children.push(child);
  await untilControl(config.socket, { op: 'status' }, { what: name, timeout: 10_000, signal: stop.signal });
  return { child, port: config.port, socket: config.socket };
}

/** Probes both and gives a way to wait for a state, and the log of changes with milliseconds since the last mark. */
function watchFleet(standins: Record<string, Standin>, opts: { endpoint?: string; ca?: string } = {}) {
  let fleet: Fleet = newFleet(
    Object.keys(standins).map((name) => ({ name, self: name === 'm1' })),
    performance.now(),
  );
  const beat = startBeat(() => performance.now());
  const changes: { name: string; to: string; at: number; destroyFlows: boolean }[] = [];
  const troubles: string[] = [];
  const take = (outcome: ReturnType<typeof tick>) => {
    fleet = outcome.fleet;
    for (const { name, to, destroyFlows } of outcome.changes)
      changes.push({ name, to, destroyFlows, at: performance.now() });
  };
  for (const [name, { port }] of Object.entries(standins)) {
    void keepProbing(
      { address: '127.0.0.1', port, endpoint: opts.endpoint ?? '127.0.0.1', ca: async () => opts.ca ?? ca },
      { evidence: (seen) => take(observeMember(fleet, name, seen)), trouble: (text) => troubles.push(text) },
      { timing: () => masterTiming, beat, signal: stop.signal, now: () => performance.now(), random: Math.random },
    );
  }
  beat.each((at) => take(tick(fleet, at)));
  stop.signal.addEventListener('abort', () => beat[Symbol.dispose]());
  const state = (name: string) => fleet.members.get(name)?.backend.state;
  const until = async (name: string, wanted: string, ms = 8000) => {
    const start = performance.now();
    while (state(name) !== wanted) {
      if (performance.now() - start > ms) throw new Error(`${name} is ${state(name)}, wanted ${wanted}`);
      await sleep(5);
    }
    return performance.now() - start;
  };
  return { until, state, changes, troubles, decision: () => decide(fleet) };
}

test('a frozen apiserver is suspect, then failed while another answers, and comes back by itself', async () => {
  const m1 = await startStandin('m1');
  const m2 = await startStandin('m2');
  const seen = watchFleet({ m1, m2 });
  await seen.until('m1', 'ready');
  await seen.until('m2', 'ready');
  expect(seen.decision()).toEqual({ backends: ['m1'], hold: true });
  m1.child.kill('SIGSTOP');
  await seen.until('m1', 'suspect', 1500);
  // One that is late may still take a retry; one that is dead may not.
  expect(seen.decision()).toEqual({ backends: ['m2'], hold: true });
  await seen.until('m1', 'failed');
  expect(seen.decision()).toEqual({ backends: ['m2'], hold: false });
  m1.child.kill('SIGCONT');
  await seen.until('m1', 'ready');
  expect(seen.changes.filter((c) => c.destroyFlows).map((c) => `${c.name} ${c.to}`)).toEqual(['m1 failed']);
});

test('a killed apiserver is failed at once, and its successor is trusted after two yeses', async () => {
  const m1 = await startStandin('m1');
  const m2 = await startStandin('m2');
  const seen = watchFleet({ m1, m2 });
  await seen.until('m1', 'ready');
  await seen.until('m2', 'ready');
  m1.child.kill('SIGKILL');
  await seen.until('m1', 'failed', 1500);
  await startStandin('m1', m1.port);
  await seen.until('m1', 'ready');
  expect(seen.changes.filter((c) => c.name === 'm1').map((c) => c.to)).toEqual(['ready', 'failed', 'unready', 'ready']);
});

test('an apiserver that says it is not ready takes nothing, and keeps its flows', async () => {
  const m1 = await startStandin('m1');
  const m2 = await startStandin('m2');
  const seen = watchFleet({ m1, m2 });
  await seen.until('m1', 'ready');
  await seen.until('m2', 'ready');
  await askControl(m1.socket, { op: 'set', ready: false }, { signal: stop.signal });
  await seen.until('m1', 'unready');
  expect(seen.decision().backends).toEqual(['m2']);
  expect(seen.changes.some((c) => c.destroyFlows)).toBe(false);
});

test.each([
  { name: 'a certificate that is not for the endpoint', opts: { endpoint: '192.0.2.7' }, trouble: /192\.0\.2\.7/ },
  { name: 'a certificate of another authority', opts: { ca: undefined }, trouble: /certificate/i },
])('$name is never believed', async ({ opts, trouble }) => {
  const m1 = await startStandin('m1');
  const other = await ensurePki(drawing, { pki: join(dir, 'other-pki') });
  const seen = watchFleet({ m1 }, 'ca' in opts ? { ca: await readFile(other.caFile, 'utf8') } : opts);
  await sleep(1000);
  expect(seen.state('m1')).toBe('unknown');
  expect(seen.troubles[0]).toMatch(trouble);
});

/** Answers and hangs up, with the GOAWAY ahead of the answer: kube-apiserver to a request that nobody has signed. */
async function hangsUp(): Promise<{ port: number; connections(): number }> {
  const pki = await ensurePki(drawing, { pki: join(dir, 'pki') });
  const { certFile, keyFile } = pki.server('balancer');
  const server = createSecureServer({ cert: await readFile(certFile), key: await readFile(keyFile) });
  servers.push(server);
  let connections = 0;
  server.on('session', () => {
    connections += 1;
  });
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.session?.goaway(0);
    setTimeout(() => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    }, 20);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const found = server.address();
  return { port: typeof found === 'object' && found !== null ? found.port : 0, connections: () => connections };
}

test('an apiserver that hangs up after each anonymous answer is believed, and asked once a second', async () => {
  const m1 = await hangsUp();
  const seen = watchFleet({ m1 } as unknown as Record<string, Standin>);
  await seen.until('m1', 'ready', 2000);
  const before = m1.connections();
  await sleep(3000);
  expect([seen.troubles, m1.connections() - before]).toEqual([[], expect.closeTo(3, -0.5)]);
  servers[0]?.close();
});
