import { createInterface } from 'node:readline/promises';
import { InvalidArgumentError, Option } from 'commander';
import { type ClusterSession, OperatorError, openSession, parseDuration } from '../../index.ts';
import type { CommandContext } from '../run.ts';

/** What every command that works on a cluster takes. */
export interface ClusterOptions {
  readonly file: string;
  readonly askSudoPassword?: boolean;
  readonly output?: string;
  /** Instead of the one in the file. */
  readonly strategy?: string;
}

export function fileOption(): Option {
  return new Option('-f, --file <cluster.yaml>', 'the spec').default('cluster.yaml');
}

export function sudoOption(): Option {
  return new Option('--ask-sudo-password', 'ask for the password that sudo wants (or set HAIRPIN_SUDO_PASSWORD)');
}

/** `--timeout` of commands that look at nodes and make do with what is there by then; milliseconds. */
export function timeoutOption(usual: string): Option {
  return new Option(
    '--timeout <time>',
    `how long to look at most; what is late is left out, and said (default: ${usual})`,
  ).argParser((text) => {
    const ms = parseDuration(text);
    if (ms === undefined || ms < 1000) throw new InvalidArgumentError('a time of at least 1s, as in 10s');
    return ms;
  });
}

/** The cluster that the options name, with a sudo password where one is given. */
export async function sessionFor(options: ClusterOptions, cx: CommandContext): Promise<ClusterSession> {
  const { file, strategy } = options;
  return openSession({ file, strategy, emit: cx.emit, ...(await sudoPassword(options, cx.signal)) });
}

/** From the environment, or asked for without an echo. */
export async function sudoPassword(
  options: ClusterOptions,
  signal: AbortSignal,
): Promise<{ readonly sudoPassword: string } | Record<string, never>> {
  const given = process.env.HAIRPIN_SUDO_PASSWORD;
  if (given !== undefined && given !== '') return { sudoPassword: given };
  if (options.askSudoPassword !== true) return {};
  if (process.stdin.isTTY !== true) {
    throw new OperatorError('USAGE', 'There is no terminal to ask for the sudo password', {
      hint: 'set HAIRPIN_SUDO_PASSWORD instead',
    });
  }
  return { sudoPassword: await askHidden('sudo password: ', signal) };
}

/** Asks yes or no. Without a terminal nothing is asked, and the answer is a refusal that names `--yes`. */
export async function askYes(question: string, signal: AbortSignal): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new OperatorError('NOT_CONFIRMED', 'Nothing was changed: there is no terminal to ask on', {
      hint: 'look at what would be done, then run it with --yes',
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal });
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

async function askHidden(question: string, signal: AbortSignal): Promise<string> {
  process.stderr.write(question);
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.resume();
  let typed = '';
  try {
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      stdin.on('data', (chunk: Buffer) => {
        for (const character of chunk.toString('utf8')) {
          if (character === '\r' || character === '\n') return resolve(typed);
          if (character === '\x03') return reject(new OperatorError('INTERRUPTED', 'Interrupted'));
          if (character === '\x7f') typed = typed.slice(0, -1);
          else typed += character;
        }
      });
    });
  } finally {
    stdin.removeAllListeners('data');
    stdin.setRawMode(false);
    stdin.pause();
    process.stderr.write('\n');
  }
}
