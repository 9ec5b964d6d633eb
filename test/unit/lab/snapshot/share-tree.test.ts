import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { joinTree, splitTree } from '../../../../src/lab/snapshot/share-tree.ts';
import { requireSnapshotName } from '../../../../src/lab/snapshot/snapshot.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hairpin-share-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
});
const at = (...parts: string[]) => join(dir, ...parts);
const inode = (path: string) => statSync(path).ino;

/** A store, and a node that was cloned from it and has gone on since. */
function storeAndNode() {
  mkdirSync(at('store/blobs'), { recursive: true });
  mkdirSync(at('node/blobs'), { recursive: true });
  writeFileSync(at('store/blobs/layer'), 'layer');
  linkSync(at('store/blobs/layer'), at('node/blobs/layer'));
  writeFileSync(at('store/meta.db'), 'pristine');
  writeFileSync(at('node/meta.db'), 'changed');
  mkdirSync(at('node/snapshots/9'), { recursive: true });
  writeFileSync(at('node/snapshots/9/written'), 'by a container');
  symlinkSync('layer', at('node/blobs/latest'));
  chmodSync(at('node/blobs'), 0o711);
}

const parts = () => ({ shared: at('kept-shared'), own: at('kept-own') });

describe('splitTree() and joinTree()', () => {
  test('give back the whole node, sharing what the node shared with the store and nothing else', async () => {
    storeAndNode();
    await splitTree(at('node'), at('store'), parts(), {});
    await joinTree(parts(), at('again'), {});
    expect(inode(at('again/blobs/layer'))).toBe(inode(at('store/blobs/layer')));
    expect(inode(at('again/meta.db'))).not.toBe(inode(at('node/meta.db')));
    expect(readFileSync(at('again/meta.db'), 'utf8')).toBe('changed');
    expect(readFileSync(at('again/snapshots/9/written'), 'utf8')).toBe('by a container');
    expect(readFileSync(at('again/blobs/latest'), 'utf8')).toBe('layer');
    expect(statSync(at('again/blobs')).mode & 0o777).toBe(0o711);
  });

  test('what a restored node writes reaches neither the snapshot nor another restored node', async () => {
    storeAndNode();
    await splitTree(at('node'), at('store'), parts(), {});
    await joinTree(parts(), at('one'), {});
    await joinTree(parts(), at('two'), {});
    appendFileSync(at('one/meta.db'), ' by one');
    appendFileSync(at('one/snapshots/9/written'), ' of one');
    expect([readFileSync(at('two/meta.db'), 'utf8'), readFileSync(at('kept-own/meta.db'), 'utf8')]).toEqual([
      'changed',
      'changed',
    ]);
    expect(readFileSync(at('two/snapshots/9/written'), 'utf8')).toBe('by a container');
  });

  test('a node whose store is gone is copied whole', async () => {
    storeAndNode();
    rmSync(at('store'), { recursive: true });
    await splitTree(at('node'), at('store'), parts(), {});
    await joinTree(parts(), at('again'), {});
    expect(readFileSync(at('again/blobs/layer'), 'utf8')).toBe('layer');
    expect(inode(at('again/blobs/layer'))).not.toBe(inode(at('node/blobs/layer')));
  });
});

describe('requireSnapshotName()', () => {
  test.each(['list', 'remove', '', 'Upper', '../up', 'a'.repeat(21), '.making-x'])('refuses %j', (name) => {
    expect(() => requireSnapshotName(name)).toThrow(`\`${name}\` cannot be the name of a snapshot`);
  });

  test('takes a plain name', () => {
    expect(() => requireSnapshotName('three-masters')).not.toThrow();
  });
});
