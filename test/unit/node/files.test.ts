import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalNode } from '../../../src/node/local.ts';

const owner = `${userInfo().username}:${process.getgid?.() === 0 ? 'root' : userInfo().username}`;

describe('writeFile()', () => {
  let dir: string;
  let node: LocalNode;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hairpin-files-'));
    node = new LocalNode('here', [], { manifest: join(dir, 'state/written') });
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const write = (name: string, content: string, mode = 0o644) =>
    node.writeFile({ path: join(dir, name), content, mode, owner });

  /** All files below the directory except the manifest, with their content. */
  const files = () =>
    Object.fromEntries(
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== 'written')
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [path.slice(dir.length + 1), readFileSync(path, 'utf8')]),
    );

  test('makes missing directories and leaves nothing but the file', async () => {
    expect(await write('a/b/new.conf', 'ours')).toEqual({ changed: true, backup: undefined });
    expect(files()).toEqual({ 'a/b/new.conf': 'ours' });
  });

  test('keeps a file that was there once, however often ours changes', async () => {
    writeFileSync(join(dir, 'hosts'), 'theirs');
    const backup = join(dir, 'hosts.hairpin-backup');
    expect(await write('hosts', 'ours 1')).toEqual({ changed: true, backup });
    expect(await write('hosts', 'ours 2')).toEqual({ changed: true, backup: undefined });
    expect(await write('hosts', 'ours 1')).toEqual({ changed: true, backup: undefined });
    expect(files()).toEqual({ hosts: 'ours 1', 'hosts.hairpin-backup': 'theirs' });
  });

  test('keeps what somebody changed after us under a number of its own', async () => {
    writeFileSync(join(dir, 'hosts'), 'theirs');
    await write('hosts', 'ours');
    writeFileSync(join(dir, 'hosts'), 'edited');
    expect(await write('hosts', 'ours')).toEqual({ changed: true, backup: join(dir, 'hosts.hairpin-backup.1') });
    writeFileSync(join(dir, 'hosts'), 'edited');
    expect((await write('hosts', 'ours')).backup).toBe(join(dir, 'hosts.hairpin-backup.1'));
    expect(files()).toEqual({
      hosts: 'ours',
      'hosts.hairpin-backup': 'theirs',
      'hosts.hairpin-backup.1': 'edited',
    });
  });

  test('a backup has the mode of what it keeps', async () => {
    writeFileSync(join(dir, 'key'), 'secret', { mode: 0o600 });
    await write('key', 'ours', 0o644);
    expect(statSync(join(dir, 'key.hairpin-backup')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'key')).mode & 0o777).toBe(0o644);
  });

  test('the same content with the same mode changes nothing; another mode is a change without a backup', async () => {
    writeFileSync(join(dir, 'same'), 'x', { mode: 0o644 });
    expect(await write('same', 'x')).toEqual({ changed: false, backup: undefined });
    expect(await write('same', 'x', 0o600)).toEqual({ changed: true, backup: undefined });
    expect(statSync(join(dir, 'same')).mode & 0o777).toBe(0o600);
  });

  test('a symbolic link stays and its target is replaced', async () => {
    writeFileSync(join(dir, 'target'), 'theirs');
    symlinkSync('target', join(dir, 'link'));
    expect((await write('link', 'ours')).backup).toBe(join(dir, 'target.hairpin-backup'));
    expect(readFileSync(join(dir, 'target'), 'utf8')).toBe('ours');
    expect(files().link).toBeUndefined();
  });

  test('a name with spaces, quotes and a leading dash is written as it is', async () => {
    const name = `-it's a "name" $x`;
    await write(name, 'ours');
    expect(files()).toEqual({ [name]: 'ours' });
  });

  test('a directory in the way and an unknown owner are errors and leave nothing behind', async () => {
    mkdirSync(join(dir, 'etc'));
    await expect(write('etc', 'ours')).rejects.toMatchObject({
      code: 'NODE_FILE',
      cause: `is a directory: ${dir}/etc`,
    });
    await expect(
      node.writeFile({ path: join(dir, 'x'), content: 'ours', mode: 0o644, owner: 'no-such-user:root' }),
    ).rejects.toMatchObject({ code: 'NODE_FILE' });
    expect(files()).toEqual({});
  });

  test('a full disk is its own error, and the file that was there is as it was', async () => {
    writeFileSync(join(dir, 'hosts'), 'theirs');
    // A `cat` that meets a full disk; the wire tier has a real one (a tmpfs of 64 kB).
    mkdirSync(join(dir, 'bin'));
    writeFileSync(join(dir, 'bin/cat'), '#!/bin/sh\necho "cat: write error: No space left on device" >&2\nexit 1\n', {
      mode: 0o755,
    });
    const full = new LocalNode('here', ['env', `PATH=${join(dir, 'bin')}:${process.env.PATH}`]);
    await expect(full.writeFile({ path: join(dir, 'hosts'), content: 'ours', mode: 0o644 })).rejects.toMatchObject({
      code: 'NODE_DISK_FULL',
      message: `Cannot write ${dir}/hosts on here: its disk is full`,
    });
    rmSync(join(dir, 'bin'), { recursive: true });
    expect(files()).toEqual({ hosts: 'theirs' });
  });
});
