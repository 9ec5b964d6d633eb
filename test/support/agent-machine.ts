import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { AgentConfig } from '../../src/agent/config/config.ts';
import type { SteererAnswer } from '../../src/agent/steerer/answers.ts';
import type { SteererRequest } from '../../src/agent/steerer/protocol.ts';
import { pkiFiles } from '../../src/lab/pki/pki.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { agentUnits } from '../../src/render/agent/paths.ts';
import { agentUnitFiles } from '../../src/render/agent/units.ts';

/**
 * The agent's verbs as one file, as the executable has them (scripts/build.ts): from a checkout each of a dozen processes
 * would strip a hundred files of their types before it says a word.
 */
const bundled = (async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hp-daemon-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  await chmod(dir, 0o755);
  const file = join(dir, 'daemon.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/program/main.ts', import.meta.url))],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    define: {
      HAIRPIN_PROGRAM_ID: '"0000000000000000"',
      'import.meta.url': '__url',
      'import.meta.dirname': '__dirname',
    },
    banner: { js: "const __url = 'file:///';" },
    logLevel: 'error',
  });
  return file;
})();

/** Nobody on this machine has it; the table renews for it. */
export const proberId = 65_533;

export type AgentVerb = 'run' | 'steerer' | 'pods' | 'mirror';

export interface AgentMachine extends AsyncDisposable {
  readonly name: string;
  readonly config: AgentConfig;
  /** What each process has said so far, `steerer: text`. */
  readonly log: readonly string[];
  readonly paths: Readonly<
    Record<'config' | 'steererSocket' | 'podsSocket' | 'statusSocket' | 'state' | 'drainFile', string>
  >;
  /** Starts a process of the agent, as its unit would: with its user and its capabilities. Waits until it listens. */
  start(verb: AgentVerb, env?: Readonly<Record<string, string>>): Promise<void>;
  /** Sends a signal; after one that ends the process, waits until it has ended. */
  signal(verb: AgentVerb, signal: NodeJS.Signals): Promise<void>;
  pid(verb: AgentVerb): number;
  /** Writes another configuration and tells the processes. */
  reconfigure(change: Partial<AgentConfig>): Promise<void>;
  /** What the prober would ask. */
  ask<Op extends SteererRequest['op']>(request: Extract<SteererRequest, { op: Op }>): Promise<SteererAnswer<Op>>;
  /** One datagram of the prober's to each endpoint; `passed` when nothing took it. */
  renew(): Promise<'renewed' | 'passed'>;
  /** Renews each second until disposed, as a prober does that has no other thoughts. */
  keepAlive(): Disposable;
}

export interface AgentMachineOptions {
  readonly config?: Partial<AgentConfig>;
  /** What is started; default: prober, steerer and pods. */
  readonly processes?: readonly AgentVerb[];
  /** `dist/hairpin-linux-x64`, to measure what nodes run; default: the same code as a script. */
  readonly executable?: string;
}

/** The agent in a machine of a wire lab, from this checkout. Nothing of it is outside the lab but a temporary directory. */
export async function startAgent(lab: Lab, name: string, opts: AgentMachineOptions = {}): Promise<AgentMachine> {
  const program = opts.executable === undefined ? [process.execPath, await bundled] : [opts.executable];
  const dir = await mkdtemp(join(tmpdir(), 'hp-agent-'));
  await chmod(dir, 0o755);
  const config = { ...agentConfigFor(lab, name, { ca: join(dir, 'ca.crt') }), ...opts.config };
  const paths = {
    config: join(dir, 'agent.json'),
    steererSocket: join(dir, 'steerer', 's.sock'),
    podsSocket: join(dir, 'pods.sock'),
    statusSocket: join(dir, 'run', 'status.sock'),
    state: join(dir, 'state'),
    drainFile: join(dir, 'drain'),
    netns: join(dir, 'netns'),
  };
  for (const path of ['steerer', 'run', 'state', 'netns']) await mkdir(join(dir, path), { mode: 0o755 });
  for (const path of ['run', 'state']) await chown(join(dir, path), proberId, proberId);
  await copyFile(pkiFiles(lab.cx.paths).caFile, config.ca[0] ?? '');
  await chmod(config.ca[0] ?? '', 0o644);
  await writeFile(paths.config, JSON.stringify(config));

  const log: string[] = [];
  const children = new Map<AgentVerb, ChildProcess>();
  const podsOfNode = lab.cx.topology.pods.filter((pod) => pod.node === name);
  const argvOf: Record<AgentVerb, () => readonly string[]> = {
    run: () => [
      ...first,
      ...asUser(proberId, []),
      '/usr/bin/env',
      ...unitEnvironment('run'),
      ...program,
      'agent',
      'run',
      '--config',
      paths.config,
      '--state',
      paths.state,
      '--status-socket',
      paths.statusSocket,
      '--steerer-socket',
      paths.steererSocket,
      '--drain-file',
      paths.drainFile,
    ],
    steerer: () => [
      ...first,
      ...asUser(0, ['net_admin']),
      '/usr/bin/env',
      ...unitEnvironment('steerer'),
      ...program,
      'agent',
      'steerer',
      '--config',
      paths.config,
      '--socket',
      paths.steererSocket,
      '--pods-socket',
      paths.podsSocket,
      '--prober-uid',
      String(proberId),
    ],
    pods: () => [
      ...asUser(0, ['net_admin', 'sys_admin']),
      '/usr/bin/env',
      ...unitEnvironment('pods'),
      ...program,
      'agent',
      'pods',
      '--socket',
      paths.podsSocket,
      // The node's own pods, as its container runtime would have bound them.
      ...podsOfNode.flatMap((pod) => ['--netns-dir', join(paths.netns, pod.name)]),
      '--idle-ms',
      // Longer than any test; a unit would start it again.
      '7200000',
    ],
    mirror: () => [
      ...asUser(proberId, []),
      '/usr/bin/env',
      ...unitEnvironment('mirror'),
      ...program,
      'agent',
      'mirror',
      '--config',
      paths.config,
      '--drain-file',
      paths.drainFile,
      '--status-socket',
      paths.statusSocket,
    ],
  };
  for (const pod of podsOfNode) {
    await mkdir(join(paths.netns, pod.name));
    await symlink(`/run/netns/${pod.netns}`, join(paths.netns, pod.name, 'pod'));
  }

  const machine: AgentMachine = {
    name,
    config,
    log,
    paths,
    async start(verb, env = {}) {
      const set = Object.entries(env).map(([key, value]) => `${key}=${value}`);
      const argv = argvOf[verb]();
      // After what the unit sets: `env` takes the last.
      const at = argv.indexOf(program[0] ?? '');
      const [file = '', ...args] = lab.argvIn(name, [...argv.slice(0, at), ...set, ...argv.slice(at)]);
      const child = spawn(file, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NOTIFY_SOCKET: undefined },
      });
      children.set(verb, child);
      for (const stream of [child.stdout, child.stderr]) {
        let rest = '';
        stream.setEncoding('utf8');
        stream.on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) log.push(`${verb}: ${line}`);
        });
      }
      // The mirror listens on a port of its machine.
      if (verb === 'mirror') return;
      const socket = { run: paths.statusSocket, steerer: paths.steererSocket, pods: paths.podsSocket }[verb];
      await untilListening(socket, () => {
        if (child.exitCode !== null) throw new Error(`agent ${verb} ended on ${name}:\n${log.join('\n')}`);
      });
    },
    async signal(verb, signal) {
      const child = children.get(verb);
      if (child === undefined) throw new Error(`agent ${verb} was never started on ${name}`);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended;
    },
    pid(verb) {
      return children.get(verb)?.pid ?? 0;
    },
    async reconfigure(change) {
      await writeFile(paths.config, JSON.stringify({ ...config, ...change }));
      for (const verb of ['steerer', 'run'] as const) children.get(verb)?.kill('SIGHUP');
    },
    ask: (request) => askSteerer(paths.steererSocket, request),
    async renew() {
      const send = lab.spec.endpoint.addresses.map((a) => `printf x >/dev/udp/${a.text}/${lab.spec.endpoint.port}`);
      const results = await Promise.all(
        send.map((text) => lab.exec(name, [...asUser(proberId, []), 'bash', '-c', text])),
      );
      return results.every(({ exitCode }) => exitCode !== 0) ? 'renewed' : 'passed';
    },
    keepAlive() {
      const text = `while :; do ${lab.spec.endpoint.addresses
        .map((a) => `printf x >/dev/udp/${a.text}/${lab.spec.endpoint.port}`)
        .join('; ')}; sleep 0.8; done 2>/dev/null`;
      const [file = '', ...args] = lab.argvIn(name, [...asUser(proberId, []), 'bash', '-c', text]);
      const child = spawn(file, args, { stdio: 'ignore' });
      return { [Symbol.dispose]: () => void child.kill('SIGKILL') };
    },
    async [Symbol.asyncDispose]() {
      for (const child of children.values()) child.kill('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    for (const verb of opts.processes ?? (['pods', 'steerer', 'run'] as const)) await machine.start(verb);
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
  return machine;
}

/** What `up` would write for this machine. */
export function agentConfigFor(lab: Lab, name: string, { ca }: { ca: string }): AgentConfig {
  const { spec } = lab;
  const machine = spec.machines.find((each) => each.name === name);
  if (machine === undefined || machine.role === 'client') throw new Error(`The lab has no node ${name}`);
  const texts = (of: typeof machine) => of.addresses.map((a) => a.text);
  return {
    version: 1,
    node: { name, addresses: texts(machine), role: machine.role },
    endpoint: {
      host: spec.endpoint.domain ?? spec.endpoint.addresses[0]?.text ?? '',
      addresses: spec.endpoint.domain === undefined ? spec.endpoint.addresses.map((a) => a.text) : [],
      port: spec.endpoint.port,
    },
    apiServerPort: spec.apiServerPort,
    masters: spec.machines
      .filter((each) => each.role === 'control-plane')
      .map((each) => ({ name: each.name, addresses: texts(each) })),
    steer: true,
    device: 'eth0',
    uplinks: 'auto',
    ca: [ca],
  };
}

/** One request on a connection of its own. */
export async function askSteerer<Op extends SteererRequest['op']>(
  socketPath: string,
  request: Extract<SteererRequest, { op: Op }>,
): Promise<SteererAnswer<Op>> {
  const [line] = await sayLines(socketPath, `${JSON.stringify(request)}\n`, 1);
  return JSON.parse(line ?? '') as SteererAnswer<Op>;
}

/** Sends bytes and waits for some lines of answer, or for the end of the connection. */
export async function sayLines(
  socketPath: string,
  bytes: string | Uint8Array,
  lines: number,
): Promise<readonly string[]> {
  return await new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = '';
    const done = () => {
      socket.destroy();
      resolve(text.split('\n').slice(0, -1));
    };
    socket.setEncoding('utf8');
    socket.setTimeout(15_000, () => {
      socket.destroy();
      reject(new Error(`no answer on ${socketPath} within 15 s`));
    });
    socket.on('error', reject);
    socket.on('close', done);
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.split('\n').length > lines) done();
    });
    socket.write(bytes);
  });
}

/** What the unit of a process sets, as `env` takes it. */
function unitEnvironment(verb: AgentVerb): readonly string[] {
  const unit = agentUnits[verb === 'run' ? 'agent' : verb];
  const content = agentUnitFiles({ mirror: true }).find(({ path }) => path.endsWith(`/${unit}`))?.content ?? '';
  const line = /^Environment=(.*)$/m.exec(content)?.[1] ?? '';
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

/** As the units have it (render/agent/units.ts). */
const first = ['nice', '-n', '-10'];

/** Runs what follows as this user and group with these capabilities and no way to get others. */
function asUser(uid: number, capabilities: readonly string[]): readonly string[] {
  const bounding = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  return [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${proberId}`,
    '--clear-groups',
    '--no-new-privs',
    `--bounding-set=${bounding}`,
  ];
}

async function untilListening(path: string, check: () => void): Promise<void> {
  const end = performance.now() + 60_000;
  for (;;) {
    check();
    const ok = await new Promise<boolean>((resolve) => {
      const socket = connect(path);
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (ok) return;
    if (performance.now() > end) throw new Error(`nobody listens on ${path} within 60 s`);
    await sleep(20);
  }
}

/** Resident and anonymous memory of a process, in KiB. */
export async function memoryOf(pid: number): Promise<{ readonly resident: number; readonly anonymous: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { resident: field('VmRSS'), anonymous: field('RssAnon') };
}
