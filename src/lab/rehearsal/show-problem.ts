import { setTimeout as sleep } from 'node:timers/promises';
import type { Emit } from '../../report/event.ts';
import { task } from '../../report/event.ts';
import { formatDuration } from '../../std/duration.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import type { LabMachine } from '../spec/lab-spec.ts';
import { installCni, kubeadmInit, kubeadmJoin, ofRole } from './by-hand.ts';
import { endpointOf } from './kubeadm-documents.ts';
import { type Outcomes, proxyState, tryEndpoint } from './observe.ts';

/** What was seen while somebody who has never heard of hairpinning followed kubeadm's manual. All of it was measured. */
export interface Problem {
  readonly kubernetes: string;
  readonly endpoint: string;
  readonly balancer: string;
  readonly init: { readonly succeeded: boolean; readonly ms: number; readonly lastLine: string };
  /** New connections while the first master was the only backend. */
  readonly alone: readonly Outcomes[];
  readonly leaderProxySynced: boolean;
  readonly tokenCreate: { readonly succeeded: boolean; readonly ms: number };
  /** Absent where `init` had failed. */
  readonly joined: readonly { readonly machine: string; readonly exitCode: number; readonly ms: number }[];
  readonly together: readonly Outcomes[];
}

export interface ShowOptions {
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

const tries = 60;
/** kubeadm itself waits a minute before it gives up; nobody at a terminal does. */
const tokenPatience = 20;
/** A kube-proxy that reaches the API syncs within two seconds. */
const proxyPatience = 15_000;

/** Follows the manual in a fresh lab of real nodes and looks at what works afterwards. Changes nothing but the lab. */
export async function showProblem(lab: RunningLab, opts: ShowOptions): Promise<Problem> {
  const [leader, ...followers] = ofRole(lab, 'control-plane');
  if (leader === undefined) throw new RangeError('The lab has no master');
  await installCni(lab, opts);
  const init = await kubeadmInit(lab, leader, opts);
  const leaderProxySynced = await task(
    opts.emit,
    'proxy',
    `${leader.name} kube-proxy`,
    async () => await untilSynced(lab, leader, opts.signal),
    (synced) => (synced ? 'has its Services' : `has no Services after ${formatDuration(proxyPatience)}`),
  );
  const alone = await connections(lab, 'one master', [leader, ...others(lab)], opts);
  const token = await task(
    opts.emit,
    'token',
    `${leader.name} kubeadm token create`,
    () => lab.exec(leader.name, ['timeout', String(tokenPatience), 'kubeadm', 'token', 'create'], opts),
    (result) => (result.exitCode === 0 ? 'works' : `no answer after ${tokenPatience} s`),
  );
  const joined = [];
  if (init.join !== undefined) {
    for (const machine of [...followers, ...ofRole(lab, 'worker')]) {
      const { exitCode, ms } = await kubeadmJoin(lab, machine, init.join, opts);
      joined.push({ machine: machine.name, exitCode, ms });
    }
  }
  const masters = [leader, ...followers];
  const together = joined.length === 0 ? [] : await connections(lab, 'all masters', [...masters, ...others(lab)], opts);
  return {
    kubernetes: lab.spec.kubernetes,
    endpoint: endpointOf(lab.spec),
    balancer: lab.spec.preset ?? lab.spec.balancer.behaviour,
    init: {
      succeeded: init.result.exitCode === 0,
      ms: init.result.ms,
      lastLine: lastLine(init.result.exitCode === 0 ? init.result.stdout : init.result.stderr),
    },
    alone,
    leaderProxySynced,
    tokenCreate: { succeeded: token.exitCode === 0, ms: token.ms },
    joined,
    together,
  };
}

/** What it means, in plain words. Pure. */
export function explainProblem(problem: Problem): string {
  const { init, alone, together, tokenCreate } = problem;
  return [
    `Kubernetes ${problem.kubernetes} behind ${problem.balancer}, endpoint ${problem.endpoint}`,
    '',
    init.succeeded
      ? `  kubeadm init says that it succeeded, after ${formatDuration(init.ms)}. It has not:`
      : `  kubeadm init fails after ${formatDuration(init.ms)}: ${init.lastLine}`,
    ...(problem.leaderProxySynced
      ? []
      : ['    its kube-proxy has no Services: it dials the endpoint and gets no answer']),
    ...(tokenCreate.succeeded
      ? []
      : [`    kubeadm token create, with admin.conf, has no answer after ${formatDuration(tokenCreate.ms)}`]),
    '',
    '  New connections to the endpoint while there is one master:',
    ...table(alone),
    ...(together.length === 0
      ? []
      : ['', '  The same after all of them have joined, which kubeadm calls a success:', ...table(together)]),
    '',
    '  Why: the balancer keeps the source address. What a master sends to the endpoint may come back to that same',
    '  master, now from itself to itself; its kernel drops such packets, and the connection hangs. Workers and',
    '  outside clients never meet this. kubeadm says nothing about it.',
    '',
  ].join('\n');
}

function table(rows: readonly Outcomes[]): string[] {
  return rows.map(({ machine, tries: all, answered, refused, silent }) => {
    const lost = [
      ...(silent === 0 ? [] : [`${silent} without any answer`]),
      ...(refused === 0 ? [] : [`${refused} refused`]),
    ];
    return `    ${machine.padEnd(4)} ${String(answered).padStart(3)} of ${all} answered${lost.length === 0 ? '' : `, ${lost.join(', ')}`}`;
  });
}

async function connections(
  lab: RunningLab,
  when: string,
  machines: readonly LabMachine[],
  opts: ShowOptions,
): Promise<readonly Outcomes[]> {
  return await task(
    opts.emit,
    'connections',
    `connections, ${when}`,
    async (progress) => {
      const rows: Outcomes[] = [];
      for (const machine of machines) {
        progress(`from ${machine.name}`, rows.length, machines.length);
        rows.push(await tryEndpoint(lab, machine.name, tries, opts));
      }
      return rows;
    },
    (rows) => rows.map(({ machine, answered, tries: all }) => `${machine} ${answered}/${all}`).join('  '),
  );
}

async function untilSynced(lab: RunningLab, leader: LabMachine, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + proxyPatience;
  for (;;) {
    const { synced } = await proxyState(lab, leader.name, { signal });
    if (synced || performance.now() > until) return synced;
    await sleep(500, undefined, { signal });
  }
}

/** Those whom hairpinning never meets. */
function others(lab: RunningLab): readonly LabMachine[] {
  return [...ofRole(lab, 'worker'), ...ofRole(lab, 'client')];
}

function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((line) => line.startsWith('error')) ?? lines.at(-1) ?? '';
}
