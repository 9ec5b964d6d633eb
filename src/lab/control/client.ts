import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import type { Reply } from './server.ts';

/** Asks a daemon of the lab one thing. Throws `LAB_DAEMON_DOWN` when nobody listens, `LAB_CONTROL` when it says no. */
export async function askControl(
  path: string,
  request: unknown,
  opts: { signal?: AbortSignal } = {},
): Promise<unknown> {
  let line: string;
  try {
    line = await exchange(path, `${JSON.stringify(request)}\n`, opts.signal);
  } catch (error) {
    opts.signal?.throwIfAborted();
    throw new OperatorError('LAB_DAEMON_DOWN', `Nothing answers at ${path}`, {
      cause: error,
      hint: 'see `hairpin lab status` and the logs in the lab directory',
    });
  }
  const reply = JSON.parse(line) as Reply;
  if (!reply.ok) throw new OperatorError('LAB_CONTROL', reply.problem);
  return reply.result;
}

/**
 * Waits until a daemon that was just started answers `request` at `path`. Given its `pid`, it gives up as soon as that has
 * ended; the cause of the error is the end of its log, else the last failure.
 */
export async function untilControl(
  path: string,
  request: unknown,
  opts: { what: string; pid?: number; log?: string; timeout: number; signal: AbortSignal },
): Promise<unknown> {
  const end = performance.now() + opts.timeout;
  for (let wait = 4; ; wait = Math.min(wait * 1.5, 50)) {
    try {
      return await askControl(path, request, { signal: opts.signal });
    } catch (error) {
      opts.signal.throwIfAborted();
      const ended = opts.pid !== undefined && !runs(opts.pid);
      if (ended || performance.now() > end) {
        const how = ended ? 'ended before it answered' : `did not answer within ${opts.timeout / 1000} s`;
        const cause = (opts.log === undefined ? undefined : await lastLines(opts.log)) ?? error;
        throw new OperatorError('LAB_DAEMON_DOWN', `${opts.what} ${how}`, {
          cause,
          hint: `see ${opts.log ?? 'its log in the lab directory'}`,
        });
      }
      await sleep(wait, undefined, { signal: opts.signal });
    }
  }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function lastLines(log: string): Promise<string | undefined> {
  const text = (await readFile(log, 'utf8').catch(() => '')).trim();
  return text === '' ? undefined : text.split('\n').slice(-8).join('\n');
}

async function exchange(path: string, request: string, signal: AbortSignal | undefined): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ path, ...(signal === undefined ? {} : { signal }) });
    let text = '';
    // A daemon that is frozen accepts (the kernel does) and never answers.
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')));
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      socket.destroy();
      resolve(text.slice(0, text.indexOf('\n')));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}
