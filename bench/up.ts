import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { gatherClusterFacts, openSession } from '../src/apply/flow/session.ts';
import { type Emit, type Lab, labNames, parseLabFlags, silent, startLab } from '../src/index.ts';
import { clusterByHand } from '../src/lab/rehearsal/by-hand.ts';
import { untilNodesReady } from '../src/lab/rehearsal/ready.ts';
import { localProgram } from '../src/program/source.ts';

// `npm run bench:up [-- ROUNDS]`: `hairpin up` of 3 masters and 1 worker against the same kubeadm commands typed back to
// back, in one run, on fresh labs in turn, images already there. The balancer can hairpin (`works`), because plain kubeadm
// behind one that cannot does not end well. Goal: 1.05 at most. Three moments are told apart, each from the start of the
// command: the end of the last kubeadm, all nodes Ready, and the end of `up` (checks: by hand nobody makes any).
// `direct` is told what the balancer does, as whoever types by hand knows it; `steer` measures first.

const bin = join(import.meta.dirname, '..', 'bin/hairpin');
const rounds = Number(process.argv[2] ?? 2);
const name = 'bench-up';
const signal = new AbortController().signal;
if ((await labNames()).includes(name)) throw new Error(`There is a lab ${name}; take it down first`);

/** Seconds since the start; `parts` is where they went. */
interface Took {
  readonly kubeadm: number;
  readonly ready: number;
  readonly end: number;
  readonly parts: string;
}

// As images are there already: built once for a version of the source, and not part of what is compared.
await (await localProgram()).archive(process.arch === 'arm64' ? 'arm64' : 'x64', { signal });

const ways = { 'by hand': byHand, direct: (lab: Lab) => up(lab, 'direct'), steer: (lab: Lab) => up(lab, 'steer') };
const all = new Map<string, Took[]>(Object.keys(ways).map((way) => [way, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const [way, run] of Object.entries(ways)) {
    await using lab = await startLab(parseLabFlags({ lab: name, tier: 'node', balancer: 'works' }));
    const took = await run(lab);
    all.get(way)?.push(took);
    console.log(
      `round ${round + 1}  ${way.padEnd(8)} kubeadm ${s(took.kubeadm)}  Ready ${s(took.ready)}  end ${s(took.end)}   ${took.parts}`,
    );
    if (way === 'steer') await look(lab);
  }
}

const medians = new Map(
  [...all].map(([way, list]) => [way, { ...of(list, 'kubeadm'), ...of(list, 'ready'), ...of(list, 'end') }]),
);
const base = medians.get('by hand');
console.log(
  '\nmedian seconds, and of by hand\n            last kubeadm          all Ready             end, checks included',
);
for (const [way, { kubeadm, ready, end }] of medians) {
  const cell = (value = 0, by = 0) => `${s(value)}  ${(value / by).toFixed(2)}`.padEnd(22);
  console.log(`${way.padEnd(10)}  ${cell(kubeadm, base?.kubeadm)}${cell(ready, base?.ready)}${s(end ?? 0)}`);
}

async function byHand(lab: Lab): Promise<Took> {
  const start = Date.now();
  const parts: string[] = [];
  const emit: Emit = (event) => {
    if (event.kind === 'task-finished') parts.push(`${event.task} ${s((event.ms ?? 0) / 1000)}`);
  };
  await clusterByHand(lab, { emit, signal });
  const kubeadm = (Date.now() - start) / 1000;
  await untilNodesReady(lab, { signal, since: start, timeout: 300_000 });
  const ready = (Date.now() - start) / 1000;
  return { kubeadm, ready, end: ready, parts: parts.join(', ') };
}

/** Reads the moments from the events of `--output json`. */
async function up(lab: Lab, strategy: 'direct' | 'steer'): Promise<Took> {
  const file = lab.cx.paths.clusterYaml;
  if (strategy === 'direct') {
    await writeFile(file, (await readFile(file, 'utf8')).replace('hairpin: auto', 'hairpin: works'));
  }
  const start = Date.now();
  const child = spawn(bin, ['up', '-f', file, '--strategy', strategy, '--yes', '--output', 'json'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const at = { kubeadm: 0, ready: 0 };
  const parts: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    const event = JSON.parse(line) as {
      readonly kind: string;
      readonly task?: string;
      readonly ms?: number;
      readonly at: string;
    };
    if (event.kind !== 'task-finished' || event.task === undefined) continue;
    const seconds = (Date.parse(event.at) - start) / 1000;
    if (/\/kubeadm-(?:init|join)$/.test(event.task)) at.kubeadm = seconds;
    if (event.task.endsWith('/hold-nodes-ready')) at.ready = seconds;
    if (!event.task.includes('/') || (event.ms ?? 0) > 2000) parts.push(`${event.task} ${s((event.ms ?? 0) / 1000)}`);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`hairpin up ended with ${code}`);
  return { ...at, end: (Date.now() - start) / 1000, parts: parts.join(', ') };
}

/** How long it takes to look at the four nodes of a running cluster: `facts` alone, and the whole `hairpin doctor`. */
async function look(lab: Lab): Promise<void> {
  const file = lab.cx.paths.clusterYaml;
  await using session = await openSession({ file, emit: silent });
  const facts: string[] = [];
  for (const round of ['cold', 'warm']) {
    const { ms, nodes } = await gatherClusterFacts(session, { emit: silent, signal });
    facts.push(`${round} ${s(ms / 1000)}`);
    const seen = nodes.filter((report) => report.is === 'seen').length;
    if (seen !== nodes.length) throw new Error(`only ${seen} of ${nodes.length} nodes were seen`);
  }
  const start = Date.now();
  const { exitCode, stdout } = await execa(bin, ['doctor', '-f', file, '--output', 'json'], { reject: false });
  const took = (Date.now() - start) / 1000;
  const { findings } = JSON.parse(stdout) as { readonly findings?: readonly unknown[] };
  const said = findings === undefined ? stdout.slice(0, 300) : `${findings.length} findings`;
  console.log(
    `         facts of 4 nodes ${facts.join(', ')} (goal 2 s); doctor ${s(took)} (goal 5 s), exit ${exitCode}, ${said}`,
  );
}

function of<K extends keyof Omit<Took, 'parts'>>(list: readonly Took[], key: K): Record<K, number> {
  const sorted = list.map((took) => took[key]).toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median =
    sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  return { [key]: median } as Record<K, number>;
}

function s(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}
