import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The node's first process, seen from this machine; `undefined` when the node is off. systemd keeps itself alone in
 * `init.scope`; where nspawn splits itself from the node (hierarchies of version 2), that is below `payload`.
 */
export function findPid1(cgroups: readonly string[]): number | undefined {
  for (const dir of cgroups) {
    for (const place of ['payload/init.scope', 'init.scope']) {
      const pid = firstPid(join(dir, place, 'cgroup.procs'));
      if (pid !== undefined) return pid;
    }
  }
  return undefined;
}

function firstPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return pid > 0 ? pid : undefined;
  } catch {
    // No such cgroup: another hierarchy may have it.
    return undefined;
  }
}
