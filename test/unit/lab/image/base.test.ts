import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baseId, baseRecipe } from '../../../../src/lab/image/base-recipe.ts';
import { prepareSecondStage, settleBase } from '../../../../src/lab/image/base-settle.ts';

describe('baseId()', () => {
  const recipe = baseRecipe('bookworm', 'amd64', ['main', 'contrib', 'non-free']);
  test('is the same for the same recipe, and does not depend on components that are not used', () => {
    expect(baseId(recipe)).toBe(baseId(baseRecipe('bookworm', 'amd64', ['main'])));
    expect(baseId(recipe)).toMatch(/^bookworm-amd64-[0-9a-f]{12}$/);
  });
  test('changes with the packages, the suite and the revision', () => {
    const others = [
      baseRecipe('trixie', 'amd64', ['main']),
      { ...recipe, packages: [...recipe.packages, 'vim'] },
      { ...recipe, revision: recipe.revision + 1 },
    ];
    expect(new Set([recipe, ...others].map(baseId)).size).toBe(4);
  });
});

describe('settleBase()', () => {
  let root = '';
  const wants = 'etc/systemd/system/multi-user.target.wants';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'hairpin-base-'));
    for (const dir of ['etc/ssh', 'etc/apt', 'etc/ssl', 'var/cache/apt/archives', 'var/log', wants]) {
      await mkdir(join(root, dir), { recursive: true });
    }
    await prepareSecondStage(root);
    for (const name of ['ssh_host_rsa_key', 'ssh_host_rsa_key.pub', 'ssh_config'])
      await writeFile(join(root, 'etc/ssh', name), 'x');
    for (const name of ['haproxy.service', 'keepalived.service', 'containerd.service', 'remote-fs.target'])
      await symlink(`/lib/systemd/system/${name}`, join(root, wants, name));
    await writeFile(join(root, 'etc/machine-id'), 'feedfacefeedfacefeedfacefeedface\n');
    // As systemd-resolved leaves it; followed, it would name a file of this machine.
    await symlink('/run/systemd/resolve/stub-resolv.conf', join(root, 'etc/resolv.conf'));
    await writeFile(join(root, 'etc/apt/sources.list'), 'deb http://mirror.example/debian bookworm main\n');
    await settleBase(root, baseRecipe('bookworm', 'amd64', ['main']));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test('leaves no identity that two nodes would share', async () => {
    expect(await readdir(join(root, 'etc/ssh'))).toEqual(['ssh_config', 'sshd_config.d']);
    expect(await readFile(join(root, 'etc/machine-id'), 'utf8')).toBe('');
    expect((await lstat(join(root, 'etc/resolv.conf'))).isSymbolicLink()).toBe(false);
  });

  test('does not keep the mirror of the machine that it was made on', async () => {
    await expect(lstat(join(root, 'etc/apt/sources.list'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('starts sshd, and neither balancer nor container runtime unasked', async () => {
    expect(await readdir(join(root, wants))).toEqual(['remote-fs.target', 'ssh.service']);
  });

  test('masks what a node machine has no use for, and nothing that a strategy may need', async () => {
    const system = join(root, 'etc/systemd/system');
    expect(await readlink(join(system, 'apt-daily.timer'))).toBe('/dev/null');
    await expect(lstat(join(system, 'keepalived.service'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('lets packages start their daemons again once the image is whole', async () => {
    await expect(lstat(join(root, 'usr/sbin/policy-rc.d'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
