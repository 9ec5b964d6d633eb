import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const module = new URL('../../../src/agent/log/log.ts', import.meta.url).href;
const run = (code: string, stdout: 'pipe' | number) =>
  spawn(process.execPath, ['--input-type=module', '-e', `import { openLog } from '${module}'; ${code}`], {
    stdio: ['ignore', stdout, 'pipe'],
  });
const withoutTime = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      return rest;
    });
const story = `const log = openLog('prober'); log.info({ ms: 1 }, 'one'); log.warn({}, 'two'); log.error({ of: ['a'] }, 'three'); log.flush();`;
const told = [
  { level: 30, process: 'prober', ms: 1, msg: 'one' },
  { level: 40, process: 'prober', msg: 'two' },
  { level: 50, process: 'prober', of: ['a'], msg: 'three' },
];

test('a line an event, into a pipe', async () => {
  const child = run(story, 'pipe');
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'close');
  expect(withoutTime(text)).toEqual(told);
});

test('and into a file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-log-'));
  try {
    const file = join(dir, 'log');
    await once(run(story, openSync(file, 'w')), 'close');
    expect(withoutTime(readFileSync(file, 'utf8'))).toEqual(told);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('a reader that does not read holds nothing up, and is told how many lines it has missed', async () => {
  const child = run(
    `const log = openLog('prober');
     for (let i = 0; i < 40; i += 1) log.info({ i, much: 'x'.repeat(100_000) }, 'more');
     process.once('SIGUSR2', () => setInterval(() => log.info({}, 'again'), 100));
     process.stderr.write('said all\\n');`,
    'pipe',
  );
  child.stdout?.pause();
  await once(child.stderr ?? child, 'data');
  child.kill('SIGUSR2');
  let text = '';
  const heard = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (/"again"\}\n/.test(text)) resolve();
    });
  });
  child.stdout?.resume();
  await heard;
  child.kill('SIGKILL');
  text = text.slice(0, text.indexOf('"again"}') + '"again"}'.length);
  const lines = withoutTime(text);
  const whole = lines.filter(({ msg }) => msg === 'more').length;
  expect(whole).toBeGreaterThan(5);
  const { lost, ...again } = lines.at(-1) ?? {};
  expect(again).toEqual({ level: 30, process: 'prober', msg: 'again' });
  // Those that were said while the pipe was still full are lost, too.
  expect(lost).toBeGreaterThanOrEqual(40 - whole);
});
