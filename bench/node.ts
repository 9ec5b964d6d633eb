import { readFile } from 'node:fs/promises';
import {
  formatBytes,
  type Lab,
  parseLabFlags,
  removeSnapshot,
  restoreSnapshot,
  saveSnapshot,
  silent,
  snapshotSpec,
  startLab,
} from '../src/index.ts';
import { cgroupMembers } from '../src/lab/cgroup/cgroup.ts';
import { clusterByHand } from '../src/lab/rehearsal/by-hand.ts';
import { untilNodesReady } from '../src/lab/rehearsal/ready.ts';

// `npm run bench:node`: what the node tier takes, from nothing to a running cluster and from a snapshot back to one.
// Base image and artefacts have to be there. Printed, not asserted: the goals are for an idle machine.

const name = 'bench-node';
const { signal } = new AbortController();
const opts = { emit: silent, signal };

console.log(`\nnode tier, 3 masters + 1 worker, plain kubeadm, balancer that hairpins, load ${await load()}`);
const spec = parseLabFlags({ lab: name, tier: 'node', balancer: 'works' });
{
  await using lab = await timed('nodes reachable by ssh', '8 s', () => startLab(spec, opts));
  await memory('memory, idle, no Kubernetes', '400 MB', lab);
  await timed('kubeadm init and joins', '–', () => clusterByHand(lab, opts));
  await timed('all nodes Ready after that', '–', () =>
    untilNodesReady(lab, { signal, since: Date.now() - 60_000, timeout: 120_000 }),
  );
  await memory('memory with the cluster', '–', lab);
  await timed('lab snapshot (down, copy, up)', '–', () => saveSnapshot(lab, name));
}
try {
  const since = Date.now();
  await using again = await timed('lab up --from', '–', async () =>
    startLab(await snapshotSpec(name, undefined), { ...opts, prepare: (cx) => restoreSnapshot(cx, name) }),
  );
  const ms = await untilNodesReady(again, { signal, since, timeout: 120_000 });
  print('restored to all nodes Ready', `${(ms / 1000).toFixed(1)} s`, '30 s');
} finally {
  await removeSnapshot(name);
}

async function timed<T>(what: string, goal: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  print(what, `${((performance.now() - start) / 1000).toFixed(1)} s`, goal);
  return result;
}

/** Proportional set size: memory that several processes share is counted once. Page cache is not in it. */
async function memory(what: string, goal: string, lab: Lab): Promise<void> {
  const pids = await cgroupMembers(lab.cx.cgroups);
  const sizes = await Promise.all(
    [...pids].map((pid) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')),
  );
  const bytes = sizes.reduce((sum, text) => sum + 1024 * Number(/^Pss: +(\d+) kB/m.exec(text)?.[1] ?? 0), 0);
  print(what, formatBytes(bytes), goal, `${pids.size} processes`);
}

function print(what: string, value: string, goal: string, more = ''): void {
  console.log(`  ${what.padEnd(32)}${value.padStart(9)}   goal ${goal.padEnd(8)}${more}`);
}

async function load(): Promise<string> {
  return (await readFile('/proc/loadavg', 'utf8')).split(' ')[0] ?? '';
}
