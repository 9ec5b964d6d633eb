import { readFile, stat } from 'node:fs/promises';
import { parseHierarchies } from '../../cgroup/hierarchies.ts';
import type { HostCheck } from '../check.ts';

export const rootCheck: HostCheck = {
  name: 'host/root',
  title: 'the command runs as root',
  tiers: ['wire', 'node'],
  async ask() {
    const uid = process.geteuid?.();
    if (uid === 0) return { is: 'ok', saw: 'user 0' };
    return { is: 'absent', saw: `user ${uid}`, remedy: 'run it with sudo: namespaces and mounts need root' };
  },
};

export const cgroupCheck: HostCheck = {
  name: 'host/cgroup',
  title: 'cgroups can be nested under our own',
  tiers: ['wire', 'node'],
  async ask() {
    const [cgroup, mounts] = await Promise.all(
      ['/proc/self/cgroup', '/proc/self/mountinfo'].map((path) => readFile(path, 'utf8')),
    );
    return cgroupFinding(cgroup ?? '', mounts ?? '');
  },
};

/** Version 1 alone and hybrid were run; version 2 is written for and was never seen. */
export function cgroupFinding(cgroup: string, mountinfo: string): Awaited<ReturnType<HostCheck['ask']>> {
  const hierarchies = parseHierarchies(cgroup, mountinfo);
  const two = hierarchies.some(({ controllers }) => controllers === '');
  const one = hierarchies.filter(({ controllers }) => controllers !== '').map(({ controllers }) => controllers);
  if (one.length === 0 && two) return { is: 'unmeasured', saw: 'version 2: not measured, please tell how it went' };
  const missing = ['pids', 'memory', 'cpu', 'cpuset', 'devices', 'freezer'].filter(
    (name) => !one.some((controllers) => controllers.split(',').includes(name)),
  );
  const kind = two ? 'version 1 with an empty version 2 beside it (hybrid)' : 'version 1';
  if (missing.length === 0) return { is: 'ok', saw: kind };
  return {
    is: 'absent',
    saw: one.length === 0 ? 'no hierarchy is mounted' : `${kind} without ${missing.join(', ')}`,
    remedy: 'mount the missing controllers below /sys/fs/cgroup',
  };
}

export const kmsgCheck: HostCheck = {
  name: 'host/kmsg',
  title: 'the kernel log can be given to nodes (kubelet reads it)',
  tiers: ['node'],
  async ask() {
    if ((await stat('/dev/kmsg').catch(() => undefined)) !== undefined) return { is: 'ok', saw: '/dev/kmsg' };
    return { is: 'absent', saw: 'no /dev/kmsg', remedy: 'in a container: give it the device /dev/kmsg' };
  },
};

/** Without it runc cannot lower a container's oom_score_adj; the lab then configures containerd not to try. */
export const oomCheck: HostCheck = {
  name: 'host/oom-score',
  title: 'oom_score_adj can be lowered (CAP_SYS_RESOURCE)',
  tiers: ['node'],
  async ask() {
    const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
    const has = (BigInt(`0x${line}`) & (1n << 24n)) !== 0n;
    return has
      ? { is: 'ok', saw: 'we have it' }
      : { is: 'note', saw: 'we do not: containerd gets restrict_oom_score_adj' };
  },
};
