import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import type { Emit } from '../../report/event.ts';
import { formatDuration } from '../../std/duration.ts';

interface Holder {
  readonly pid: number;
  readonly since: string;
  readonly what: string;
}

/**
 * Takes the lock file at `path`, waiting for whoever holds it and saying so; `await using` gives it back.
 *
 * The lock itself is the kernel's (flock), held by a child that ends when our end of its standard input closes: a
 * process that is killed can never leave a lock behind, and a pid that was given to somebody else cannot be mistaken
 * for the holder. The file's text says who holds it, for the message only.
 */
export async function takeLock(
  path: string,
  what: string,
  opts: { emit: Emit; signal: AbortSignal; poll?: number },
): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true });
  let said = false;
  for (;;) {
    opts.signal.throwIfAborted();
    const held = await tryFlock(path);
    if (held !== undefined) {
      const holder: Holder = { pid: process.pid, since: new Date().toISOString(), what };
      await writeFile(path, `${JSON.stringify(holder)}\n`);
      return held;
    }
    if (!said) opts.emit({ kind: 'note', text: await waitingFor(path) });
    said = true;
    await sleep(opts.poll ?? 500, undefined, { signal: opts.signal }).catch(() => opts.signal.throwIfAborted());
  }
}

/** Gives the held lock, or `undefined` when somebody else has it. */
async function tryFlock(path: string): Promise<AsyncDisposable | undefined> {
  const child = spawn(
    'flock',
    ['--exclusive', '--nonblock', '--conflict-exit-code', '75', path, 'sh', '-c', 'echo held; cat'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      // A Ctrl-C on the terminal goes to the whole foreground group; the lock must outlive our own cleaning up.
      detached: true,
    },
  );
  const closed = new Promise<number>((resolve, reject) => {
    child.once('error', (cause) => reject(new OperatorError('TOOL_MISSING', 'Cannot start `flock`', { cause })));
    child.once('close', (code) => resolve(code ?? 1));
  });
  const got = await Promise.race([
    new Promise<'held'>((resolve) => child.stdout.once('data', () => resolve('held'))),
    closed,
  ]);
  if (got === 75) return undefined;
  if (got !== 'held')
    throw new OperatorError('TOOL_FAILED', `Cannot lock ${path}`, { cause: `flock ended with ${got}` });
  return {
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await closed;
    },
  };
}

async function waitingFor(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    const holder = JSON.parse(text) as Holder;
    const age = formatDuration(Date.now() - Date.parse(holder.since));
    return `Waiting for process ${holder.pid}, which has been at "${holder.what}" for ${age} (${path})`;
  } catch {
    return `Waiting for another process that holds ${path}`;
  }
}
