import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabContext } from '../tier/tier.ts';

/** Without these the kubelet does not start. */
const needed = ['cpu', 'cpuset', 'memory', 'pids'] as const;

/**
 * On a host that has cgroup version 2 only, a cgroup has the controllers that the one above gives it, and the kernel
 * lets no cgroup give any while it holds processes itself, as the caller's own does. Such hosts have not been measured:
 * nodes boot, and whoever starts the lab has to see to the controllers.
 */
export async function warnAboutControllers(cx: LabContext): Promise<void> {
  const texts = await Promise.all(
    cx.cgroups.map((dir) => readFile(join(dir, 'cgroup.controllers'), 'utf8').catch(() => undefined)),
  );
  const missing = missingControllers(texts);
  if (missing.length === 0) return;
  cx.emit({
    kind: 'warning',
    text: `This machine has cgroup version 2 only, and the lab was given no ${missing.join(', ')} controller: kubelets will not start. Enable them in cgroup.subtree_control of ${cx.cgroups.join(', ')} and of every cgroup above`,
  });
}

/** `texts` has `cgroup.controllers` of each hierarchy, `undefined` for one of version 1. Pure. */
export function missingControllers(texts: readonly (string | undefined)[]): readonly string[] {
  // On hybrid hosts version 1 has the controllers and version 2 only keeps processes together.
  if (texts.length === 0 || texts.includes(undefined)) return [];
  const has = texts.flatMap((text) => (text ?? '').trim().split(/\s+/));
  return needed.filter((name) => !has.includes(name));
}
