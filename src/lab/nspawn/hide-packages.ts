import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Packages of the base that a machine with nothing but sshd does not have. Their libraries stay. */
export const hiddenPackages = [
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'curl',
  'ebtables',
  'ethtool',
  'haproxy',
  'iptables',
  'keepalived',
  'nftables',
  'runc',
  'socat',
] as const;

/**
 * Makes a layer over the base in which these packages are not installed: overlayfs hides what has a character device 0/0
 * of the same name over it, and dpkg's status has no word about them, so that they can be installed again.
 */
export async function hidePackages(rootfs: string, layer: string, names: readonly string[]): Promise<void> {
  const stanzas = (await readFile(join(rootfs, 'var/lib/dpkg/status'), 'utf8')).split('\n\n');
  const kept = stanzas.filter((stanza) => !names.includes(/^Package: (\S+)$/m.exec(stanza)?.[1] ?? ''));
  await mkdir(join(layer, 'var/lib/dpkg'), { recursive: true });
  await writeFile(join(layer, 'var/lib/dpkg/status'), kept.join('\n\n'));
  const owned = await ownedOnlyBy(rootfs, names);
  const gone: string[] = [];
  for (const path of [...owned, ...(await alternativesTo(rootfs, new Set(owned)))].toSorted()) {
    // What is below a directory that is hidden already is gone with it.
    if (gone.some((dir) => path === dir || path.startsWith(`${dir}/`))) continue;
    const there = await lstat(join(rootfs, path)).catch(() => undefined);
    const isOurs = (await lstat(join(layer, path)).catch(() => undefined)) !== undefined;
    if (there === undefined || isOurs) continue;
    await mkdir(dirname(join(layer, path)), { recursive: true });
    await promisify(execFile)('mknod', [join(layer, path), 'c', '0', '0']);
    gone.push(path);
  }
}

/** Paths that are in the lists of these packages and of no other. */
async function ownedOnlyBy(rootfs: string, names: readonly string[]): Promise<readonly string[]> {
  const info = join(rootfs, 'var/lib/dpkg/info');
  const lists = (await readdir(info)).filter((file) => file.endsWith('.list'));
  const [hidden, others] = [new Set<string>(), new Set<string>()];
  for (const file of lists) {
    const name = file.slice(0, -'.list'.length).replace(/:.*/, '');
    const into = names.includes(name) ? hidden : others;
    // /bin, /sbin and /lib are links into /usr.
    for (const path of (await readFile(join(info, file), 'utf8')).split('\n')) {
      if (/^\/[^/]+\/./.test(path)) into.add(path.replace(/^\/(bin|sbin|lib)\//, '/usr/$1/'));
    }
  }
  return [...hidden].filter((path) => !others.has(path));
}

/** update-alternatives' links to programs that are hidden, and what it knows of them. */
async function alternativesTo(rootfs: string, hidden: ReadonlySet<string>): Promise<readonly string[]> {
  const admin = 'var/lib/dpkg/alternatives';
  const found: string[] = [];
  for (const name of await readdir(join(rootfs, admin))) {
    const lines = (await readFile(join(rootfs, admin, name), 'utf8')).split('\n');
    if (!lines.some((line) => hidden.has(line))) continue;
    // status, link, then a name and a link for each that follows this one, until an empty line.
    const [, link = '', ...slaves] = lines.slice(0, lines.indexOf(''));
    const links = [link, ...slaves.filter((_, index) => index % 2 === 1)];
    const slaveNames = slaves.filter((_, index) => index % 2 === 0);
    found.push(`/${admin}/${name}`, ...links, ...[name, ...slaveNames].map((each) => `/etc/alternatives/${each}`));
  }
  return found.map((path) => path.replace(/^\/(bin|sbin|lib)\//, '/usr/$1/'));
}
