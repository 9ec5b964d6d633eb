import { StringDecoder } from 'node:string_decoder';
import { execa } from 'execa';
import type { RunOptions, RunResult } from './port.ts';

/** How a process of this machine ended; `why` is set when we ended it. */
export interface Ended extends RunResult {
  readonly why: 'timeout' | 'aborted' | undefined;
  /** The program could not be started at all: it is not there or may not be executed. */
  readonly missing: boolean;
}

export interface ProcessOptions extends RunOptions {
  /** Called before the process is killed because of a timeout or an abort, and waited for (at most 5 s). */
  readonly beforeKill?: () => Promise<void>;
}

// Output that a caller keeps as one string; a listing of a large cluster is far below it.
const maxOutput = 256 * 1024 * 1024;

/**
 * Runs a program of this machine in a process group of its own, so that a Ctrl-C on the terminal does not reach it (the
 * step that is running is finished) and an abort or a timeout ends all that it started. Never throws for how it ended.
 */
export async function runProcess(argv: readonly string[], opts: ProcessOptions = {}): Promise<Ended> {
  const [file = '', ...args] = argv;
  const start = performance.now();
  if (opts.signal?.aborted === true) return ended(argv, 130, '', '', start, 'aborted', false);
  const child = execa(file, args, {
    reject: false,
    stripFinalNewline: false,
    detached: true,
    maxBuffer: maxOutput,
    ...inputOf(opts),
    ...(opts.env === undefined ? {} : { env: opts.env }),
  });
  if (opts.onLine !== undefined) {
    splitLines(child.stdout, (line) => opts.onLine?.('stdout', line));
    splitLines(child.stderr, (line) => opts.onLine?.('stderr', line));
  }
  let why: Ended['why'];
  const stop = async (reason: 'timeout' | 'aborted') => {
    why ??= reason;
    await Promise.race([opts.beforeKill?.().catch(() => undefined), delay(5000)]);
    killGroup(child.pid, 'SIGTERM');
    setTimeout(() => killGroup(child.pid, 'SIGKILL'), 2000).unref();
    // Whoever else holds the pipes (an ssh master, a daemon) must not keep a stopped command waiting.
    setTimeout(() => [child.stdout, child.stderr].map((stream) => stream?.destroy()), 300).unref();
  };
  const onAbort = () => void stop('aborted');
  opts.signal?.addEventListener('abort', onAbort, { once: true });
  const timer = opts.timeout === undefined ? undefined : setTimeout(() => void stop('timeout'), opts.timeout);
  try {
    const result = await child;
    const missing = result.code === 'ENOENT' || result.code === 'EACCES';
    const stderr = missing ? `${file}: command not found\n` : result.stderr;
    return ended(argv, result.exitCode ?? (missing ? 127 : 128 + 15), result.stdout, stderr, start, why, missing);
  } finally {
    clearTimeout(timer);
    opts.signal?.removeEventListener('abort', onAbort);
  }
}

function inputOf({ stdin, input }: RunOptions) {
  if (input !== undefined) return { input };
  return stdin === undefined ? { stdin: 'ignore' as const } : { input: stdin };
}

function ended(
  argv: readonly string[],
  exitCode: number,
  stdout: string,
  stderr: string,
  start: number,
  why: Ended['why'],
  missing: boolean,
): Ended {
  return { argv, exitCode, stdout, stderr, ms: performance.now() - start, why, missing };
}

function splitLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream?.on('data', (chunk: Buffer | string) => {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.write(chunk))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream?.on('end', () => {
    rest += decoder.end();
    if (rest !== '') onLine(rest);
  });
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
