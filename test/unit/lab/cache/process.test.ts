import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { runTool } from '../../../../src/lab/cache/process.ts';
import { formatBytes, requireSpace } from '../../../../src/lab/cache/space.ts';

const signal = new AbortController().signal;

async function running(marker: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.split('\0').includes(marker)).length;
}

describe('runTool()', () => {
  test('gives what was printed, and each line as it comes', async () => {
    const lines: string[] = [];
    const result = await runTool(['sh', '-c', 'echo one; echo two >&2; exit 3'], {
      signal,
      fails: undefined,
      onLine: (line) => lines.push(line),
    });
    expect(result).toEqual({ exitCode: 3, stdout: 'one', stderr: 'two' });
    expect(lines.toSorted()).toEqual(['one', 'two']);
  });

  test('turns a failure into an error that shows the command and its last words', async () => {
    const failed = runTool(['sh', '-c', 'echo it is broken >&2; exit 4'], {
      signal,
      fails: { code: 'TOOL_FAILED', message: 'Cannot do it', hint: 'mend it' },
    });
    await expect(failed).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'Cannot do it',
      hint: 'mend it',
      cause: '`sh -c echo it is broken >&2; exit 4` ended with code 4:\nit is broken',
    });
  });

  test('calls a full disk what it is', async () => {
    const failed = runTool(['sh', '-c', 'echo "cp: No space left on device" >&2; exit 1'], {
      signal,
      fails: { code: 'BASE_BUILD_FAILED', message: 'Cannot build' },
    });
    await expect(failed).rejects.toMatchObject({ code: 'NO_SPACE', message: 'Cannot build: no space left' });
  });

  test('ends with everything that it started when it is stopped', async () => {
    const marker = `86${process.pid}`;
    const stop = new AbortController();
    const tool = runTool(['sh', '-c', `sleep ${marker} & sleep ${marker} & wait`], {
      signal: stop.signal,
      fails: undefined,
    });
    const ended = tool.catch((error: unknown) => error);
    for (let tries = 0; tries < 100 && (await running(marker)) < 2; tries += 1) await sleep(20);
    expect(await running(marker)).toBe(2);
    stop.abort(new Error('Interrupted'));
    expect(await ended).toEqual(new Error('Interrupted'));
    for (let tries = 0; tries < 100 && (await running(marker)) > 0; tries += 1) await sleep(20);
    expect(await running(marker)).toBe(0);
  });

  test('does not begin when it is stopped already', async () => {
    await expect(runTool(['true'], { signal: AbortSignal.abort(new Error('no')), fails: undefined })).rejects.toThrow(
      'no',
    );
  });
});

test('requireSpace() says how much is missing before anything is written', async () => {
  await expect(requireSpace('/tmp', 1e18, 'the moon')).rejects.toMatchObject({
    code: 'NO_SPACE',
    message: 'No space left for the moon in /tmp',
    cause: expect.stringMatching(/^1000000000\.0 GB needed, .* free$/),
  });
  await expect(requireSpace('/tmp/not/there/yet', 1, 'a grain')).resolves.toBeUndefined();
});

test('formatBytes() counts in powers of ten', () => {
  expect([512, 1_500, 62_000_000, 1_360_000_000].map(formatBytes)).toEqual(['1 KB', '2 KB', '62 MB', '1.4 GB']);
});
