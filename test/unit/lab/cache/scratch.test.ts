import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScratch } from '../../../../src/lab/cache/scratch.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-scratch-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test('openScratch() removes what killed processes left, keeps what running ones use, and goes with the last', async () => {
  const root = join(dir, 'root');
  // No process has a number above the kernel's limit of 2²²; 1 is always there.
  await mkdir(join(root, '9999999/1'), { recursive: true });
  await writeFile(join(root, '9999999/1/left'), 'x');
  await mkdir(join(root, '1'));
  const first = await openScratch(root);
  const second = await openScratch(root);
  expect((await readdir(root)).toSorted()).toEqual(['1', String(process.pid)].toSorted());
  expect(first.dir).not.toBe(second.dir);
  await first[Symbol.asyncDispose]();
  expect(await readdir(second.dir)).toEqual([]);
  await second[Symbol.asyncDispose]();
  expect(await readdir(root)).toEqual(['1']);
  await rm(join(root, '1'), { recursive: true });
  await (await openScratch(root))[Symbol.asyncDispose]();
  expect(await readdir(dir)).toEqual([]);
});
