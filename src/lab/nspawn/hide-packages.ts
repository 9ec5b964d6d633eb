import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
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
 * Makes a layer over the base in which these packages are not installed: overlayfs hides a file under a character device
 * 0/0 of the same name, and dpkg's status has no word about them, so that they can be installed again.
 */
export async function hidePackages(rootfs: string, layer: string, names: readonly string[]): Promise<void> {
  const stanzas = (await readFile(join(rootfs, 'var/lib/dpkg/status'), 'utf8')).split('\n\n');
  const kept = stanzas.filter((stanza) => !names.includes(/^Package: (\S+)$/m.exec(stanza)?.[1] ?? ''));
  await mkdir(join(layer, 'var/lib/dpkg'), { recursive: true });
  await writeFile(join(layer, 'var/lib/dpkg/status'), kept.join('\n\n'));
  const lists = await Promise.all(names.map((name) => filesOf(rootfs, name)));
  for (const path of lists.flat()) {
    // /bin and /sbin are links into /usr, and a directory of that name would hide the link.
    const at = join(layer, path.replace(/^\/(bin|sbin|lib)\//, '/usr/$1/'));
    await mkdir(dirname(at), { recursive: true });
    await promisify(execFile)('mknod', [at, 'c', '0', '0']);
  }
}

/** Regular files and links of an installed package. */
async function filesOf(rootfs: string, name: string): Promise<readonly string[]> {
  const listed = (await readFile(join(rootfs, 'var/lib/dpkg/info', `${name}.list`), 'utf8')).trim().split('\n');
  // A directory is the parent of something in the list, or of nothing: then it does no harm where it is.
  // /lib, which packages list as their own, is a link of the whole system.
  const script =
    'for f; do case $f in /*/*) ;; *) continue ;; esac; if [ -L "$0$f" ] || [ -f "$0$f" ]; then printf "%s\\n" "$f"; fi; done';
  const { stdout } = await promisify(execFile)('sh', ['-c', script, rootfs, ...listed]);
  return stdout.split('\n').filter((path) => path !== '');
}
