import { apiserverReady, unitActive } from '../../check/ask/holds.ts';
import { waitUntil } from '../../check/ask/wait.ts';
import { controlPlaneNodes, type SpecNode } from '../../spec/spec.ts';
import { formatHostPort } from '../../std/address.ts';
import type { DrillFault } from './fault.ts';
import { type FaultedCluster, lostWith, type NodeFault, nodeNamed, portOf, runOn } from './on-nodes.ts';
import { bringPodBack, killPod } from './processes.ts';

/** Only where etcd has a disk of its own: a full root disk would do more than the drill says. */
const fill = `set -u
mountpoint -q /var/lib/etcd || { echo '/var/lib/etcd is not a file system of its own' >&2; exit 66; }
filler=/var/lib/etcd/hairpin-drill-full
dd if=/dev/zero of=$filler bs=64k 2>/dev/null
dd if=/dev/zero bs=4k 2>/dev/null >>$filler
sync -f /var/lib/etcd 2>/dev/null
test -s $filler`;

export const diskFault: NodeFault = {
  name: 'etcd-disk-full',
  summary: "the file system of one master's etcd has no byte left",
  aimedAt: 'master',
  takesMembers: 'one',
  would: () => ['fill /var/lib/etcd, which must be a file system of its own'],
  inject: () => ({ text: fill }),
  heal: () => ({ text: 'rm -f /var/lib/etcd/hairpin-drill-full' }),
};

/** In a moment, so that this command ends before its connection does. */
const inOrder = '( sleep 0.3; systemctl reboot ) >/dev/null 2>&1 &';
/** What a power cut is: no unit is stopped, nothing is written. */
const atOnce = '( sleep 0.3; systemctl reboot --force --force ) >/dev/null 2>&1 &';

// Measured: 11 s from power to a ready apiserver, over 100 s where cgroups of the boot before were left (facts/lab.md).
const bootTimeoutMs = 240_000;

/** Faults of nodes as a whole and of all masters together. */
export function wholeNodeFaults(cluster: FaultedCluster): readonly DrillFault[] {
  const masters = controlPlaneNodes(cluster.spec);
  const reboot = async (name: string, text: string, signal: AbortSignal) => {
    const before = await bootId(cluster, name);
    await runOn(cluster, name, { text }, 'reboot', { signal });
    await untilNot(cluster, name, before, signal);
  };
  return [
    {
      name: 'node-rebooted',
      summary: 'it shuts down in order and boots',
      aimedAt: 'node',
      takesMembers: 'one',
      takesNodes: 'target',
      would: (target) => [`${target}: systemctl reboot`],
      inject: (target, signal) => reboot(target, inOrder, signal),
      heal: (target) => untilUp(cluster, nodeNamed(cluster, target)),
    },
    {
      name: 'all-masters-off',
      summary: 'all masters reboot at once and without order',
      aimedAt: 'cluster',
      takesMembers: 'all',
      takesNodes: 'masters',
      would: () => masters.map(({ name }) => `${name}: systemctl reboot --force --force`),
      inject: async (_, signal) => {
        await Promise.all(masters.map(({ name }) => reboot(name, atOnce, signal)));
      },
      heal: async () => {
        await Promise.all(masters.map((master) => untilUp(cluster, master)));
      },
    },
    {
      name: 'rolling-reboot',
      summary: 'each master reboots as soon as the one before is ready again',
      aimedAt: 'cluster',
      takesMembers: 'one',
      takesNodes: 'masters',
      would: () => masters.map(({ name }) => `${name}: systemctl reboot, and wait until its apiserver is ready`),
      inject: async (_, signal) => reboot(masters[0]?.name ?? '', inOrder, signal),
      async goOn(_, signal) {
        const [first, ...others] = masters;
        if (first !== undefined) await untilUp(cluster, first, signal);
        for (const master of others) {
          await reboot(master.name, inOrder, signal);
          await untilUp(cluster, master, signal);
        }
      },
      heal: async () => {
        await Promise.all(masters.map((master) => untilUp(cluster, master)));
      },
    },
    {
      name: 'etcd-leader-killed',
      summary: 'whoever leads etcd is killed, and its manifest is taken away',
      aimedAt: 'cluster',
      takesMembers: 'one',
      would: () => ['the master whose etcd leads: mv its manifest aside; kill -KILL etcd'],
      async inject(_, signal) {
        const leader = await etcdLeader(cluster, masters, signal);
        await runOn(cluster, leader, { text: killPod, args: ['etcd'] }, '`etcd-leader-killed`', { signal });
      },
      async heal() {
        const script = { text: bringPodBack, args: ['etcd'] };
        await Promise.all(masters.map(({ name }) => runOn(cluster, name, script, 'healing `etcd-leader-killed`')));
      },
    },
  ];
}

/** kubeadm has etcd serve its metrics on loopback (`--listen-metrics-urls`). */
const isLeader = `curl --silent --max-time 3 http://127.0.0.1:2381/metrics | grep -q '^etcd_server_is_leader 1' && echo leader || echo no`;

async function etcdLeader(cluster: FaultedCluster, masters: readonly SpecNode[], signal: AbortSignal): Promise<string> {
  const answers = await Promise.all(
    masters.map(async ({ name }) => {
      const answer = await runOn(cluster, name, { text: isLeader }, 'asking who leads etcd', { signal });
      return answer.trim() === 'leader' ? [name] : [];
    }),
  );
  const [leader] = answers.flat();
  if (leader === undefined) throw new Error('no member of etcd says on 127.0.0.1:2381 that it leads');
  return leader;
}

/** Another after each boot, of machines and of containers. */
const whichBoot = `cat /proc/sys/kernel/random/boot_id; cut -d ' ' -f 22 /proc/1/stat`;

async function bootId(cluster: FaultedCluster, name: string): Promise<string> {
  return await runOn(cluster, name, { text: whichBoot }, 'asking when it booted');
}

/** Until this boot is over: the node is silent, or in another one. */
async function untilNot(cluster: FaultedCluster, name: string, before: string, signal: AbortSignal): Promise<void> {
  const until = performance.now() + bootTimeoutMs;
  while (performance.now() < until) {
    signal.throwIfAborted();
    try {
      const result = await portOf(cluster, name).probe(['sh', '-c', whichBoot], { signal, timeout: 2000 });
      if (result.exitCode === 0 && result.stdout !== before) return;
    } catch (error) {
      if (lostWith(error)) return;
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Until the node is what it should be: a master when its own apiserver is ready, a worker when its kubelet runs. */
async function untilUp(
  cluster: FaultedCluster,
  node: SpecNode,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const port = portOf(cluster, node.name);
  const opts = { deadlineMs: bootTimeoutMs, signal };
  await waitUntil(port, unitActive('kubelet'), opts);
  if (node.role === 'worker') return;
  await waitUntil(port, apiserverReady(formatHostPort(node.address, cluster.spec.apiServerPort)), opts);
}
