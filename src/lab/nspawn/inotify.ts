import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import type { LabContext } from '../tier/tier.ts';
import { nodesOf } from './ssh-files.ts';

/**
 * The kernel allows root a number of inotify instances (128 by default), all containers together; systemd, the kubelet
 * and the control plane each take some. Beyond it programs end with "too many open files", systemd without a word. The
 * limit is the host's and is left alone.
 *
 * Counted on v1.37.2: a booted node has 6, a master of a running cluster 21 to 27, a worker 14.
 */
const booted = 6;
const perRole = { 'control-plane': 24, worker: 14, client: 0 } as const;

export interface InotifyNeed {
  readonly limit: number;
  readonly inUse: number;
  /** What the lab takes when it has booted. */
  readonly toBoot: number;
  /** What it takes with a cluster in it. */
  readonly withCluster: number;
}

/** Refuses a lab that could not even boot, and warns about one whose cluster would not fit. */
export async function requireInotify(cx: LabContext): Promise<void> {
  const roles = nodesOf(cx.topology).map(({ machine }) => machine.role);
  const verdict = judgeInotify({
    limit: Number(await readFile('/proc/sys/fs/inotify/max_user_instances', 'utf8')),
    inUse: await inotifyInstances(),
    toBoot: roles.length * booted,
    withCluster: roles.reduce((sum, role) => sum + perRole[role], 0),
  });
  if (verdict.is === 'warning') cx.emit({ kind: 'warning', text: `${verdict.text}; ${remedy}` });
  if (verdict.is === 'refused') throw new OperatorError('HOST_UNFIT', verdict.text, { hint: remedy });
}

const remedy =
  'take other labs down, or allow more: sysctl fs.inotify.max_user_instances=1024 (hairpin changes nothing on this machine)';

export type InotifyVerdict =
  | { readonly is: 'ok' }
  | { readonly is: 'warning'; readonly text: string }
  | { readonly is: 'refused'; readonly text: string };

export function judgeInotify({ limit, inUse, toBoot, withCluster }: InotifyNeed): InotifyVerdict {
  const left = `root may have ${limit} inotify instances on this machine, and ${inUse} are in use`;
  if (inUse + toBoot > limit) return { is: 'refused', text: `The nodes cannot boot: ${left}; they need ${toBoot}` };
  if (inUse + withCluster <= limit) return { is: 'ok' };
  return {
    is: 'warning',
    text: `A cluster of these nodes may not work: ${left}; it needs about ${withCluster}`,
  };
}

/** Instances that root's processes hold on this machine, those in containers included. */
export async function inotifyInstances(): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const counts = await Promise.all(pids.map((pid) => instancesOf(join('/proc', pid))));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function instancesOf(dir: string): Promise<number> {
  const owner = await stat(dir).catch(() => undefined);
  if (owner?.uid !== 0) return 0;
  const fds = await readdir(join(dir, 'fd')).catch(() => []);
  const links = await Promise.all(fds.map((fd) => readlink(join(dir, 'fd', fd)).catch(() => '')));
  return links.filter((link) => link === 'anon_inode:inotify').length;
}
