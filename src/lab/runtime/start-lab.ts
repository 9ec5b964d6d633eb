import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { type Emit, silent, task } from '../../report/event.ts';
import { startBalancer } from '../balancer/start.ts';
import { createCgroups, labCgroups } from '../cgroup/cgroup.ts';
import { findLabCgroups } from '../cgroup/find.ts';
import { networkCommands } from '../commands/network.ts';
import { startDns } from '../dns/start.ts';
import { labPaths } from '../paths.ts';
import { clusterYaml } from '../spec/cluster-yaml.ts';
import type { LabSpec } from '../spec/lab-spec.ts';
import { writeNamespaceFiles } from '../tier/namespace-exec.ts';
import type { LabContext } from '../tier/tier.ts';
import { tierOf } from '../tier/tiers.ts';
import { labNamePattern } from '../topology/names.ts';
import { createContext, runCommands } from './context.ts';
import { holdLab } from './lock.ts';
import { openLab, type RunningLab } from './open-lab.ts';
import { type LabState, writeState } from './state.ts';
import { stopLab } from './stop-lab.ts';
import { labNetns } from './sweep.ts';

export interface StartOptions {
  readonly emit?: Emit;
  readonly signal?: AbortSignal;
  /** Set by a process that does nothing but bring this lab up, so that `lab down` may send it a signal. */
  readonly onlyThis?: boolean;
  /** Fills the lab's directory before its machines are started for the first time, as a snapshot does. */
  readonly prepare?: (cx: LabContext) => Promise<void>;
}

/** A running lab that is taken down when it goes out of scope. */
export type Lab = RunningLab & AsyncDisposable;

/**
 * Brings a lab up: network, DNS server, balancer, machines. When that fails, or is aborted, everything that was made is
 * removed before the error is thrown.
 */
export async function startLab(spec: LabSpec, opts: StartOptions = {}): Promise<Lab> {
  const emit = opts.emit ?? silent;
  const signal = opts.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  await claim(spec.name);
  try {
    await using _hold = await holdLab(spec.name, { onlyThis: opts.onlyThis === true });
    const state: LabState = {
      version: 1,
      phase: 'starting',
      startedAt: new Date().toISOString(),
      spec,
      cgroups: await labCgroups(spec.name),
    };
    await writeState(state);
    const cx = createContext(state, { emit, signal });
    await build(cx, state, opts.prepare);
    await writeState({ ...state, phase: 'up' });
  } catch (error) {
    const explained = await withLogs(error, labPaths(spec.name).logs);
    await stopLab(spec.name);
    throw explained;
  }
  const running = await openLab(spec.name, { emit, signal });
  return { ...running, [Symbol.asyncDispose]: async () => void (await stopLab(spec.name)) };
}

async function build(cx: LabContext, state: LabState, prepare: StartOptions['prepare']): Promise<void> {
  const { spec } = cx.topology;
  const machines = cx.topology.machines.map(({ machine }) => machine.name);
  const pods = cx.topology.pods.map(({ name }) => name);
  cx.signal.throwIfAborted();
  await createCgroups(state.cgroups);
  await Promise.all([cx.paths.logs, cx.paths.faults, cx.paths.daemons].map((dir) => mkdir(dir, { mode: 0o755 })));
  await task(cx.emit, 'network', `network (${spec.network})`, async (progress) => {
    for (const { title, commands } of networkCommands(cx.topology)) {
      progress(title);
      await runCommands(cx, title, commands);
    }
  });
  await writeNamespaceFiles(cx, spec.tier === 'wire' ? [...machines, ...pods] : clientsOf(cx));
  await prepare?.(cx);
  const tier = await tierOf(spec.tier);
  await settled([
    task(cx.emit, 'dns', 'DNS server', () => startDns(cx)),
    task(cx.emit, 'balancer', `balancer (${spec.preset ?? spec.balancer.behaviour})`, () => startBalancer(cx)),
    task(cx.emit, 'machines', `machines (${spec.tier} tier)`, () => tier.start(cx)),
  ]);
  const sshConfig = spec.tier === 'node' ? cx.paths.sshConfig : undefined;
  await writeFile(cx.paths.clusterYaml, clusterYaml(spec, { sshConfig }), { mode: 0o644 });
}

/** Waits for all, then throws the first failure: nothing may still be starting while the lab is being taken down. */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Makes the lab's directory, which only one can; whatever is left of an earlier lab of this name is a reason to stop. */
async function claim(lab: string): Promise<void> {
  if (process.geteuid?.() !== 0) {
    throw new OperatorError('HOST_UNFIT', 'A lab needs root: it makes network namespaces', { hint: 'use sudo' });
  }
  // The name becomes part of paths, whoever made the spec.
  if (!labNamePattern.test(lab)) throw new OperatorError('USAGE', `\`${lab}\` cannot be the name of a lab`);
  const { root } = labPaths(lab);
  await mkdir(dirname(root), { recursive: true, mode: 0o755 });
  const [cgroups, netns] = await Promise.all([findLabCgroups(), labNetns()]);
  if (cgroups.has(lab) || netns.has(lab)) throw alreadyThere(lab);
  try {
    await mkdir(root, { mode: 0o755 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyThere(lab);
    throw cause;
  }
}

function alreadyThere(lab: string): OperatorError {
  return new OperatorError('LAB_ALREADY_THERE', `There is a lab \`${lab}\` already, or something of one`, {
    hint: `see \`hairpin lab status --lab ${lab}\`; take it down with \`hairpin lab down --lab ${lab}\`, or use another --lab name`,
  });
}

/** The logs go with the lab's directory, so what a daemon said last becomes part of the error. */
async function withLogs(error: unknown, dir: string): Promise<unknown> {
  if (!(error instanceof OperatorError) || error.code !== 'LAB_DAEMON_DOWN') return error;
  const cause = error.cause instanceof Error ? error.cause.message : typeof error.cause === 'string' ? error.cause : '';
  const files = await readdir(dir).catch(() => []);
  const tails = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(dir, file), 'utf8').catch(() => '');
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      const isToldAlready = lines.length === 0 || cause.includes(lines.at(-1) ?? '');
      return isToldAlready ? [] : [`${file}:`, ...lines.slice(-15)];
    }),
  );
  return new OperatorError(error.code, error.message, {
    cause: [cause, ...tails.flat()].join('\n'),
    hint: 'the lab was taken down again; see whether this machine is fit for it: hairpin lab doctor',
  });
}

function clientsOf(cx: LabContext): readonly string[] {
  return cx.topology.machines.filter(({ machine }) => machine.role === 'client').map(({ machine }) => machine.name);
}
