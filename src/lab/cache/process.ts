import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ErrorCode } from '../../errors/codes.ts';
import { OperatorError } from '../../errors/operator-error.ts';

export interface ToolOptions {
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onLine?: (line: string) => void;
  /** Gives mounts of their own to the command, so that none is left behind however it ends. Needs root. */
  readonly ownMounts?: boolean;
  /** The code and the subject of the error when the command fails; `undefined` makes failure a result. */
  readonly fails: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } | undefined;
}

export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a long local tool (a compiler, debootstrap) that must not outlive us.
 *
 * As root the command becomes the first process of a PID namespace, so that its end, ours by SIGKILL included, is the
 * end of every process it started; otherwise its process group is killed on abort. SIGKILL is right here: everything
 * these tools write is in directories that are thrown away unless the tool finished.
 */
export async function runTool(argv: readonly string[], opts: ToolOptions): Promise<ToolResult> {
  opts.signal.throwIfAborted();
  const [program = '', ...args] = contained(argv, opts.ownMounts === true);
  const child = spawn(program, args, {
    cwd: opts.cwd,
    env: { ...process.env, ...opts.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const stdout: string[] = [];
  const stderr: string[] = [];
  const collect = (stream: NodeJS.ReadableStream, into: string[]) => {
    createInterface({ input: stream }).on('line', (line) => {
      into.push(line);
      opts.onLine?.(line);
    });
  };
  collect(child.stdout, stdout);
  collect(child.stderr, stderr);
  const kill = () => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  };
  opts.signal.addEventListener('abort', kill, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(toolMissing(argv, cause)));
      child.once('close', (code, signalName) => resolve(code ?? (signalName === null ? 1 : 128)));
    });
    opts.signal.throwIfAborted();
    const result = { exitCode, stdout: stdout.join('\n'), stderr: stderr.join('\n') };
    if (exitCode !== 0 && opts.fails !== undefined) throw toolFailed(argv, result, opts.fails);
    return result;
  } finally {
    opts.signal.removeEventListener('abort', kill);
  }
}

function contained(argv: readonly string[], ownMounts: boolean): readonly string[] {
  const root = process.geteuid?.() === 0;
  const space = root ? ['unshare', '--pid', '--fork', '--kill-child', ...(ownMounts ? ['--mount'] : [])] : [];
  return ['setpriv', '--pdeathsig', 'KILL', '--', ...space, ...argv];
}

function toolMissing(argv: readonly string[], cause: unknown): OperatorError {
  return new OperatorError('TOOL_MISSING', `Cannot start \`${argv[0]}\``, {
    cause,
    hint: 'run `make install`, then `hairpin lab doctor` to see what else is missing',
  });
}

function toolFailed(argv: readonly string[], result: ToolResult, fails: NonNullable<ToolOptions['fails']>): Error {
  const said = (result.stderr.trim() === '' ? result.stdout : result.stderr).trim().split('\n').slice(-12).join('\n');
  const cause = `\`${argv.join(' ')}\` ended with code ${result.exitCode}${said === '' ? '' : `:\n${said}`}`;
  const full = /no space left on device/i.test(`${result.stderr}\n${result.stdout}`);
  if (full) return new OperatorError('NO_SPACE', `${fails.message}: no space left`, { cause, hint: 'free some space' });
  return new OperatorError(fails.code, fails.message, {
    cause,
    ...(fails.hint === undefined ? {} : { hint: fails.hint }),
  });
}
