import { type ChildProcess, spawn } from 'node:child_process';

export interface Ran {
  /** 127: the program is not installed; 124: it did not end in time and was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program that a node has. Never throws; no shell is involved. */
export type RunTool = (
  argv: readonly [string, ...string[]],
  opts?: { readonly stdin?: string; readonly timeoutMs?: number },
) => Promise<Ran>;

/** A listing of a connection tracking table of 250,000 entries is some 50 MB. */
const maxOutput = 128 * 1024 * 1024;

export const runTool: RunTool = ([file, ...args], { stdin, timeoutMs = 5000 } = {}) => {
  const child = spawn(file, args, { stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  const ended = outcomeOf(child, file, timeoutMs);
  if (stdin !== undefined) child.stdin?.end(stdin);
  return ended;
};

/**
 * `nft -f -`, started ahead of time: it has loaded its libraries and waits for its input, so a transition does not wait
 * for a process to start (7 ms instead of 18 on a busy machine of 2 cores). It ends by itself when this process does.
 */
export class WarmNft implements Disposable {
  #waiting: ChildProcess | undefined;
  #disposed = false;

  /** Runs one transaction. What is given must be the text of one: nft makes all of it or nothing. */
  async apply(text: string): Promise<Ran> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const child = waiting?.exitCode === null && waiting.signalCode === null ? waiting : startNft();
    const ended = outcomeOf(child, 'nft', 5000);
    child.stdin?.end(text);
    const ran = await ended;
    this.warm();
    return ran;
  }

  /** Starts the process for the next transaction. */
  warm(): void {
    if (this.#disposed || this.#waiting !== undefined) return;
    const child = startNft();
    // Its absence shows when it is needed.
    child.once('error', () => undefined);
    child.unref();
    this.#waiting = child;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#waiting?.kill('SIGKILL');
  }
}

function startNft(): ChildProcess {
  return spawn('nft', ['-f', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
}

function outcomeOf(child: ChildProcess, file: string, timeoutMs: number): Promise<Ran> {
  child.ref();
  return new Promise((resolve) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const keep = (chunks: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxOutput) chunks.push(chunk);
      else child.kill('SIGKILL');
    };
    child.stdout?.on('data', keep(out));
    child.stderr?.on('data', keep(err));
    // EPIPE: the program ended without reading all of its input; its exit code says why.
    child.stdin?.on('error', () => undefined);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, stdout: '', stderr: `${file}: ${error.message}` });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({
        code: late ? 124 : (code ?? 137),
        stdout: Buffer.concat(out).toString(),
        stderr: late ? `${file} did not end within ${timeoutMs} ms` : Buffer.concat(err).toString().trim(),
      });
    });
  });
}
