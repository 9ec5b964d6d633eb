import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openNotifier } from '../../../src/agent/prober/notify.ts';

const path = process.env.PATH;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-notify-'));
  process.env.PATH = `${dir}${delimiter}${path}`;
});
afterEach(async () => {
  process.env.PATH = path;
  await rm(dir, { recursive: true, force: true });
});

/** Writes its first argument down; the first takes its time, as a process on a busy machine may. */
async function slowNotify(): Promise<() => Promise<string>> {
  const told = join(dir, 'told');
  const script = `#!/bin/sh\n[ -s ${told} ] || sleep 0.3\necho "$1" >>${told}\n`;
  await writeFile(join(dir, 'systemd-notify'), script);
  await chmod(join(dir, 'systemd-notify'), 0o755);
  return async () => readFile(told, 'utf8').catch(() => '');
}

test('messages reach systemd in their order, and there is none that something has begun: it could be the last', async () => {
  const told = await slowNotify();
  const notify = openNotifier({ NOTIFY_SOCKET: '/run/there' }, (text) => expect.fail(text));
  notify.ready('steering');
  notify.alive();
  notify.stopping();
  expect(Object.keys(notify)).not.toContain('reloading');
  await expect.poll(told, { timeout: 10_000 }).toBe('--ready\nSTOPPING=1\n');
  notify.alive();
  await expect.poll(told).toBe('--ready\nSTOPPING=1\nWATCHDOG=1\n');
});

test('without systemd nothing is started; a program that is missing is said once, and what comes later is tried all the same', async () => {
  const troubles: string[] = [];
  openNotifier({}, (text) => troubles.push(text)).ready('steering');
  process.env.PATH = dir;
  const notify = openNotifier({ NOTIFY_SOCKET: '/run/there' }, (text) => troubles.push(text));
  notify.ready('steering');
  notify.stopping();
  await expect
    .poll(() => troubles)
    .toEqual([
      'systemd-notify cannot be run, so systemd does not learn how this service is: spawn systemd-notify ENOENT',
    ]);
  process.env.PATH = `${dir}${delimiter}${path}`;
  const told = await slowNotify();
  notify.stopping();
  await expect.poll(told).toBe('STOPPING=1\n');
  expect(troubles).toHaveLength(1);
});
