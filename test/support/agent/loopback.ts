import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AgentConfig } from '../../../src/agent/config/config.ts';
import { type AgentStatus, agentStatusSchema } from '../../../src/agent/status/document.ts';
import { askControl, untilControl } from '../../../src/lab/control/client.ts';
import { ensurePki } from '../../../src/lab/pki/pki.ts';
import type { StandinConfig, StandinRequest } from '../../../src/lab/standin/control.ts';
import type { Topology } from '../../../src/lab/topology/topology.ts';
import { address } from '../../../src/std/address.ts';
import { type FakeSteerer, fakeSteerer } from './fake-steerer.ts';

const run = promisify(execFile);
const standinMain = new URL('../../../src/lab/standin/standin.main.ts', import.meta.url).pathname;
/** `HAIRPIN_AGENT`: an executable (`dist/hairpin-linux-x64 agent`) or a bundle instead of the checkout. */
const agentCommand = process.env.HAIRPIN_AGENT?.split(' ') ?? [
  process.execPath,
  new URL('../../../src/program/daemon.main.ts', import.meta.url).pathname,
];

/** Masters are addresses of the namespace's loopback interface: 10.99.0.1 … ; the endpoint is 10.99.1.1. */
export const masterAddress = (name: string) => `10.99.0.${name.replace(/\D/g, '')}`;
const endpoint = '10.99.1.1';
const port = 6443;

export interface AgentSpace extends AsyncDisposable {
  readonly dir: string;
  readonly pid: number;
  readonly steerer: FakeSteerer;
  readonly config: AgentConfig;
  /** A program inside the namespace. */
  spawn(argv: readonly string[]): ChildProcess;
  startMaster(name: string): Promise<ChildProcess>;
  master(name: string): ChildProcess;
  set(name: string, change: Omit<Extract<StandinRequest, { op: 'set' }>, 'op'>): Promise<void>;
  startAgent(change?: Partial<AgentConfig>): Promise<Agent>;
  addAddress(text: string): Promise<void>;
}

export interface Agent {
  readonly child: ChildProcess;
  readonly lines: { readonly at: number; readonly msg: string; readonly [field: string]: unknown }[];
  readonly configFile: string;
  readonly membershipFile: string;
  readonly drainFile: string;
  status(): Promise<AgentStatus>;
  /** Waits until the status is so; the failure says what it was instead. */
  until(what: string, fits: (status: AgentStatus) => boolean, ms?: number): Promise<number>;
  states(): Promise<Record<string, string>>;
}

/**
 * A network namespace with nothing but a loopback interface, a certificate authority, a fake steerer, and room for
 * stand-ins and one agent. Nothing of it is seen outside.
 */
export async function agentSpace(masters: readonly string[]): Promise<AgentSpace> {
  const dir = await mkdtemp(join(tmpdir(), 'hairpin-prober-'));
  const holder = spawn('unshare', ['-n', 'sleep', 'infinity'], { stdio: 'ignore' });
  const pid = holder.pid ?? 0;
  const inside = (argv: readonly string[]) => ['-t', `${pid}`, '-n', ...argv];
  const children = new Map<string, ChildProcess>();
  const addAddress = async (text: string) => {
    const prefix = text.includes(':') ? 128 : 32;
    await run('nsenter', inside(['ip', 'addr', 'add', `${text}/${prefix}`, 'dev', 'lo']));
  };
  // unshare needs a moment until it is in its own namespace.
  const own = await run('readlink', ['/proc/self/ns/net']);
  for (let i = 0; i < 200; i += 1) {
    const theirs = await run('readlink', [`/proc/${pid}/ns/net`]);
    if (theirs.stdout !== own.stdout) break;
    await sleep(10);
  }
  await run('nsenter', inside(['ip', 'link', 'set', 'lo', 'up']));
  for (const name of masters) await addAddress(masterAddress(name));
  await addAddress(endpoint);
  const drawing = {
    spec: { name: 'prober', endpoint: { domain: 'api.prober.test', addresses: [address(endpoint)] } },
    balancer: { addresses: [], vips: [] },
    machines: [],
  } as unknown as Topology;
  const pki = await ensurePki(drawing, { pki: join(dir, 'pki') });
  const steerer = await fakeSteerer(join(dir, 'steerer.sock'), { pid, port });
  const config: AgentConfig = {
    version: 1,
    node: { name: 'm1', addresses: [masterAddress('m1')], role: 'control-plane' },
    endpoint: { host: endpoint, addresses: [endpoint], port },
    apiServerPort: port,
    masters: masters.map((name) => ({ name, addresses: [masterAddress(name)] })),
    steer: true,
    device: 'lo',
    uplinks: 'auto',
    ca: [pki.caFile],
  };
  const start = (argv: readonly string[], stdio: 'inherit' | 'pipe' = 'inherit') =>
    spawn('nsenter', inside(argv), { stdio: ['ignore', stdio, 'inherit'] });

  return {
    dir,
    pid,
    steerer,
    config,
    addAddress,
    spawn: (argv) => start(argv),
    master: (name) => {
      const child = children.get(name);
      if (child === undefined) throw new Error(`${name} was not started`);
      return child;
    },
    async startMaster(name) {
      const standin: StandinConfig = {
        machine: name,
        port,
        host: masterAddress(name),
        members: masters.map(masterAddress),
        ...pki.server('balancer'),
        socket: join(dir, `${name}.sock`),
      };
      await writeFile(join(dir, `${name}.json`), JSON.stringify(standin));
      // nsenter execs, so that signals reach the stand-in itself.
      const child = start([process.execPath, standinMain, join(dir, `${name}.json`)]);
      children.set(name, child);
      const { signal } = new AbortController();
      await untilControl(standin.socket, { op: 'status' }, { what: name, timeout: 15_000, signal });
      return child;
    },
    async set(name, change) {
      await askControl(join(dir, `${name}.sock`), { op: 'set', ...change });
    },
    async startAgent(change = {}) {
      const configFile = join(dir, 'agent.json');
      const state = join(dir, 'state');
      await mkdir(state, { recursive: true });
      await writeFile(configFile, JSON.stringify({ ...config, ...change }, undefined, 2));
      const socket = join(dir, 'status.sock');
      const drainFile = join(dir, 'drain');
      const argv = [
        ['--config', configFile],
        ['--steerer-socket', join(dir, 'steerer.sock')],
        ['--status-socket', socket],
        ['--state', state],
        ['--drain-file', drainFile],
      ].flat();
      const child = start([...agentCommand, 'run', ...argv], 'pipe');
      children.set('agent', child);
      const lines: { at: number; msg: string }[] = [];
      if (child.stdout !== null) {
        createInterface({ input: child.stdout }).on('line', (line) =>
          lines.push({ at: performance.now(), ...(JSON.parse(line) as { msg: string }) }),
        );
      }
      const status = async () => await readStatus(socket);
      return {
        child,
        lines,
        configFile,
        membershipFile: join(state, 'membership.json'),
        drainFile,
        status,
        async until(what, fits, ms = 10_000) {
          const began = performance.now();
          let last: AgentStatus | undefined;
          while (performance.now() - began < ms) {
            last = await status().catch(() => undefined);
            if (last !== undefined && fits(last)) return performance.now() - began;
            await sleep(10);
          }
          const log = lines.map(({ msg }) => msg).join('\n');
          throw new Error(`not so within ${ms} ms: ${what}\n${JSON.stringify(last, undefined, 1)}\n${log}`);
        },
        states: async () => Object.fromEntries((await status()).backends.map(({ name, state }) => [name, state])),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const child of children.values()) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await steerer[Symbol.asyncDispose]();
      holder.kill('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export async function readStatus(path: string): Promise<AgentStatus> {
  const socket = connect(path);
  socket.setEncoding('utf8');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return agentStatusSchema.parse(JSON.parse(text));
}
