import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import type { LabContext } from '../tier/tier.ts';
import { type HostKey, nodesOf, renderKnownHosts, renderProxy, renderSshConfig } from './ssh-files.ts';

/** The key that people and `hairpin up` log in with; one a lab. */
export const userKey = (paths: LabContext['paths']): string => join(paths.keys, 'id_ed25519');
export const hostKey = (paths: LabContext['paths'], machine: string): string => join(paths.keys, `host-${machine}`);

/**
 * Makes the lab's keys, where there are none yet (a snapshot brings its own), and what ssh reads about them. Neither the
 * configuration nor anything else of the user's own ~/.ssh is touched.
 */
export async function ensureSsh(cx: LabContext): Promise<void> {
  const { paths, topology } = cx;
  await mkdir(paths.keys, { recursive: true, mode: 0o700 });
  const controlDir = controlDirOf(paths);
  if (controlDir !== undefined) await mkdir(controlDir, { recursive: true, mode: 0o700 });
  const nodes = nodesOf(topology).map(({ machine }) => machine.name);
  await Promise.all([
    keygen(cx, userKey(paths), `lab ${topology.spec.name}`),
    ...nodes.map((machine) => keygen(cx, hostKey(paths, machine), machine)),
  ]);
  const keys = await Promise.all(nodes.map((machine) => publicKey(paths, machine)));
  await writeFile(paths.knownHosts, renderKnownHosts(topology, keys), { mode: 0o600 });
  const proxy = join(paths.root, 'ssh-proxy');
  await writeFile(proxy, renderProxy(topology, cx.cgroups), { mode: 0o755 });
  const files = { identity: userKey(paths), knownHosts: paths.knownHosts, proxy, controlDir };
  await writeFile(paths.sshConfig, renderSshConfig(topology, files), { mode: 0o600 });
}

/** A socket's path may have 107 bytes; ssh puts a slash, a hash of 40 and a suffix of 17 behind the directory. */
function controlDirOf(paths: LabContext['paths']): string | undefined {
  const dir = join(paths.root, 'ctl');
  return Buffer.byteLength(dir) + 58 > 107 ? undefined : dir;
}

async function publicKey(paths: LabContext['paths'], machine: string): Promise<HostKey> {
  const [type = '', key = ''] = (await readFile(`${hostKey(paths, machine)}.pub`, 'utf8')).split(' ');
  return { machine, publicKey: `${type} ${key.trim()}` };
}

async function keygen(cx: LabContext, path: string, comment: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined) return;
  const result = await cx.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path]);
  if (result.exitCode === 0) return;
  throw new OperatorError('TOOL_FAILED', `Cannot make an ssh key for ${comment}`, { cause: result.stderr.trim() });
}
