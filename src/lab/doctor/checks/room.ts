import { readFile } from 'node:fs/promises';
import { formatBytes, freeBytes } from '../../cache/space.ts';
import type { HostCheck } from '../check.ts';

/** Writable layer, images in containerd's store and etcd of one node, v1.37.2, just after bring-up: 1.8 GB measured. */
const bytesOfNode = 2_000_000_000;
/** 3 masters and a worker with Kubernetes v1.37.2 ran in 2.4 GB; half as much again is for the work done on them. */
const memoryOfNode = 900_000_000;

export const stateSpaceCheck: HostCheck = {
  name: 'room/state',
  title: 'the state directory has room for the lab',
  tiers: ['node'],
  async ask({ stateDir, nodes }) {
    return enough(await freeBytes(stateDir), nodes * bytesOfNode, `in ${stateDir}`, 'HAIRPIN_STATE');
  },
};

export const memoryCheck: HostCheck = {
  name: 'room/memory',
  title: 'the nodes fit into memory',
  tiers: ['node'],
  async ask({ nodes }) {
    const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1];
    const free = Number(kilobytes ?? 0) * 1024;
    const saw = `${formatBytes(free)} available, ${formatBytes(nodes * memoryOfNode)} wanted for ${nodes} nodes`;
    if (free >= nodes * memoryOfNode) return { is: 'ok', saw };
    return { is: 'absent', saw, remedy: 'ask for fewer nodes (--masters, --workers), or --tier wire' };
  },
};

export function enough(free: number, need: number, where: string, variable: string) {
  const saw = `${formatBytes(free)} free ${where}, ${formatBytes(need)} wanted`;
  if (free >= need) return { is: 'ok', saw } as const;
  return { is: 'absent', saw, remedy: `free some, or point ${variable} at a bigger file system` } as const;
}
