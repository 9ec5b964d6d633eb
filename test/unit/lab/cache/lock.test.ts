import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeLock } from '../../../../src/lab/cache/lock.ts';
import type { Event } from '../../../../src/report/event.ts';
import { repoRoot } from '../../../support/imports.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-lock-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function taker(path: string, what: string, signal = new AbortController().signal) {
  const events: Event[] = [];
  const taken = takeLock(path, what, { emit: (event) => events.push(event), signal, poll: 10 });
  return { events, taken };
}

test('two builds are never inside at once, and the second says whom it waits for', async () => {
  const path = join(dir, 'two/lock');
  const order: string[] = [];
  const first = await taker(path, 'the first build').taken;
  const second = taker(path, 'the second build');
  const done = second.taken.then(async (lock) => {
    order.push('second is in');
    await lock[Symbol.asyncDispose]();
  });
  await sleep(100);
  order.push('first goes');
  await first[Symbol.asyncDispose]();
  await done;
  expect(order).toEqual(['first goes', 'second is in']);
  expect(second.events.map((event) => (event.kind === 'note' ? event.text.replace(/\d+ ms/, 'N ms') : event))).toEqual([
    `Waiting for process ${process.pid}, which has been at "the first build" for N ms (${path})`,
  ]);
});

test('a holder that is killed leaves no lock behind', async () => {
  const path = join(dir, 'killed');
  const script = join(dir, 'holder.ts');
  await writeFile(
    script,
    `import { takeLock } from '${repoRoot}/src/lab/cache/lock.ts';
     await takeLock(${JSON.stringify(path)}, 'a build', { emit: () => undefined, signal: new AbortController().signal });
     console.log('held');
     setInterval(() => undefined, 1000);`,
  );
  const holder = execa(process.execPath, [script], { reject: false });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: holder.pid, what: 'a build' });
  holder.kill('SIGKILL');
  await holder;
  await using _lock = await taker(path, 'the next', AbortSignal.timeout(5000)).taken;
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid, what: 'the next' });
});

test('who waits can be stopped', async () => {
  const path = join(dir, 'stopped');
  await using _held = await taker(path, 'long work').taken;
  const stop = new AbortController();
  const waiting = taker(path, 'impatient', stop.signal).taken;
  await sleep(30);
  stop.abort(new Error('Interrupted'));
  await expect(waiting).rejects.toThrow('Interrupted');
});
