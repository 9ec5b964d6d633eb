import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { enterNode } from '../../../../src/lab/nspawn/enter.ts';
import { findPid1 } from '../../../../src/lab/nspawn/pid1.ts';

/** Directories as a cgroup file system shows them. */
function hierarchy(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'hairpin-cgroup-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('findPid1()', () => {
  test('finds it where nspawn has split itself from the node', () => {
    const dirs = [hierarchy({ 'cgroup.procs': '1\n2\n' }), hierarchy({ 'payload/init.scope/cgroup.procs': '801\n' })];
    expect(findPid1(dirs)).toBe(801);
  });

  test('finds it where it has not', () => {
    expect(findPid1([hierarchy({ 'init.scope/cgroup.procs': '42\n' })])).toBe(42);
  });

  test.each([
    { name: 'a node that is off has no cgroups', files: undefined },
    { name: 'one that is going down has empty ones', files: { 'init.scope/cgroup.procs': '' } },
  ])('$name', ({ files }) => {
    expect(findPid1(files === undefined ? ['/sys/fs/cgroup/no-such'] : [hierarchy(files)])).toBeUndefined();
  });
});

describe('enterNode()', () => {
  test('version 2: a process goes into a leaf, because only a leaf may hold any', () => {
    const dir = hierarchy({ 'cgroup.controllers': '', 'payload/init.scope/cgroup.procs': '7\n' });
    expect(enterNode([dir], 7, ['true'])).toContain(join(dir, 'payload/init.scope/cgroup.procs'));
  });

  test('version 1: it goes to the node’s top', () => {
    const dir = hierarchy({ 'cgroup.procs': '' });
    const argv = enterNode([dir], 7, ['echo', 'a b']);
    expect(argv).toContain(join(dir, 'cgroup.procs'));
    expect(argv.slice(-2)).toEqual(['echo', 'a b']);
  });
});
