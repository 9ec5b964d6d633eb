import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { labNames, parseLabFlags, silent, startLab } from '../src/index.ts';
import { clusterByHand } from '../src/lab/rehearsal/by-hand.ts';

// `npm run bench:up [-- ROUNDS]`: `hairpin up` of 3 masters and 1 worker against the same kubeadm commands typed back to
// back, in one run, on fresh labs in turn, images already there. The balancer can hairpin (`works`), because plain kubeadm
// behind one that cannot does not end well; strategy direct, and steer for what that adds. Goal: 1.05 at most.
// Ours counts everything from the command line to its end: facts, plan, waits until nodes, kube-proxy and CoreDNS are
// well, checks. By hand counts the four kubeadm commands and nothing after them.

const bin = join(import.meta.dirname, '..', 'bin/hairpin');
const rounds = Number(process.argv[2] ?? 2);
const name = 'bench-up';
if ((await labNames()).includes(name)) throw new Error(`There is a lab ${name}; take it down first`);

const seconds = { 'by hand': [] as number[], direct: [] as number[], steer: [] as number[] };
for (let round = 0; round < rounds; round += 1) {
  for (const way of ['by hand', 'direct', 'steer'] as const) {
    await using lab = await startLab(parseLabFlags({ lab: name, tier: 'node', balancer: 'works' }));
    const start = performance.now();
    if (way === 'by hand') await clusterByHand(lab, { emit: silent, signal: new AbortController().signal });
    else hairpinUp(lab.cx.paths.clusterYaml, way);
    const took = (performance.now() - start) / 1000;
    seconds[way].push(took);
    console.log(`round ${round + 1}  ${way.padEnd(8)} ${took.toFixed(1)} s`);
  }
}
const base = median(seconds['by hand']);
console.log('\n            median s   of by hand');
for (const [way, list] of Object.entries(seconds)) {
  console.log(`${way.padEnd(10)} ${median(list).toFixed(1).padStart(8)}   ${(median(list) / base).toFixed(2)}`);
}

function hairpinUp(file: string, strategy: string): void {
  const argv = ['up', '-f', file, '--strategy', strategy, '--yes'];
  const { status, stdout, stderr } = spawnSync(bin, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`hairpin up ended with ${status}:\n${stdout}\n${stderr}`);
}

function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
