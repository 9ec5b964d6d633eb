import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { enterArgv } from '../cgroup/cgroup.ts';

/** What a login by root has, whatever the caller's own environment is. */
const environment = [
  'HOME=/root',
  'LANG=C.UTF-8',
  'LOGNAME=root',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'SHELL=/bin/bash',
  'USER=root',
] as const;

/**
 * The argv that runs `argv` in a node: in its cgroups (a power-off of the node ends it too) and in all of its
 * namespaces, from its root directory, with a login's environment.
 */
export function enterNode(cgroups: readonly string[], pid1: number, argv: readonly string[]): readonly string[] {
  const nsenter = ['nsenter', `--target=${pid1}`, '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
  const env = ['env', '-i', ...(process.env.TERM === undefined ? [] : [`TERM=${process.env.TERM}`]), ...environment];
  return enterArgv(cgroups.map(placeFor), [...nsenter, '--root', '--wd', '--', ...env, ...argv]);
}

/** In version 2 only a leaf may hold processes; systemd's own is one that is always there. */
function placeFor(dir: string): string {
  const payload = join(dir, 'payload');
  const top = existsSync(payload) ? payload : dir;
  const scope = join(top, 'init.scope');
  return existsSync(join(dir, 'cgroup.controllers')) && existsSync(scope) ? scope : top;
}
