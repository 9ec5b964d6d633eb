import { chmod, lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BaseRecipe } from './base-recipe.ts';

/**
 * Between debootstrap's two stages: packages are unpacked and configured in the second, so what must hold while they
 * are configured is written here.
 */
export async function prepareSecondStage(rootfs: string): Promise<void> {
  // 101 = "not allowed by policy": no package may start a daemon while it is installed.
  await write(rootfs, 'usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
  // The image is thrown away when its making is interrupted, so syncing each file only costs time.
  await write(
    rootfs,
    'etc/dpkg/dpkg.cfg.d/hairpin',
    ['force-unsafe-io', ...['doc', 'man', 'info', 'locale'].map((d) => `path-exclude=/usr/share/${d}/*`), ''].join(
      '\n',
    ),
  );
}

/** Makes the fresh system nobody's: no identity that two nodes would share, and nothing that starts unasked. */
export async function settleBase(rootfs: string, recipe: BaseRecipe): Promise<void> {
  const gone = ['usr/sbin/policy-rc.d', 'etc/hostname', 'etc/apt/sources.list', 'var/lib/apt/lists', 'etc/ssl/private'];
  for (const path of gone) await rm(join(rootfs, path), { recursive: true, force: true });
  await removeMatching(join(rootfs, 'etc/ssh'), /^ssh_host_/);
  await removeMatching(join(rootfs, 'var/cache/apt/archives'), /\.deb$/);
  await removeMatching(join(rootfs, 'var/log'), /\.log$/);
  // Empty, not absent: systemd then fills it at boot without taking the boot for a first one, which would apply presets.
  await write(rootfs, 'etc/machine-id', '', 0o444);
  await write(rootfs, 'etc/resolv.conf', '');
  await write(rootfs, 'etc/hosts', '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n');
  await write(rootfs, 'etc/ssh/sshd_config.d/hairpin.conf', sshdConfig);
  await mkdir(join(rootfs, 'etc/ssl/private'), { recursive: true, mode: 0o700 });
  await mkdir(join(rootfs, 'var/lib/apt/lists/partial'), { recursive: true });
  for (const unit of recipe.disabled) await disable(rootfs, unit);
  for (const unit of recipe.masked) await relink(join(rootfs, 'etc/systemd/system', unit), '/dev/null');
  await relink(
    join(rootfs, 'etc/systemd/system/multi-user.target.wants/ssh.service'),
    '/lib/systemd/system/ssh.service',
  );
  await relink(join(rootfs, 'etc/systemd/system/default.target'), '/lib/systemd/system/multi-user.target');
}

// UseDNS would wait for a resolver that the lab does not have for its own ssh connections.
const sshdConfig = 'PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\nPrintMotd no\n';

async function disable(rootfs: string, unit: string): Promise<void> {
  const system = join(rootfs, 'etc/systemd/system');
  for (const name of await readdir(system)) {
    if (/\.(wants|requires)$/.test(name)) await rm(join(system, name, unit), { force: true });
  }
}

async function relink(path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { recursive: true, force: true });
  await symlink(target, path);
}

async function removeMatching(dir: string, name: RegExp): Promise<void> {
  for (const entry of await readdir(dir)) if (name.test(entry)) await rm(join(dir, entry), { force: true });
}

/** Replaces whatever is there, a link included: in a foreign root an absolute link would lead into the host's files. */
async function write(rootfs: string, path: string, content: string, mode = 0o644): Promise<void> {
  const full = join(rootfs, path);
  const before = await lstat(full).catch(() => undefined);
  if (before !== undefined) await rm(full);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, content);
  await chmod(full, mode);
}
