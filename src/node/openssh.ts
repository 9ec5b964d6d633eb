import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import pLimit from 'p-limit';
import { OperatorError } from '../errors/operator-error.ts';
import { commandInWords, throwWhenStopped } from './ended.ts';
import { manifestPath, readFileThrough, writeFileThrough } from './files.ts';
import type { FileToWrite, NodePort, RunOptions, RunResult, Written } from './port.ts';
import { type Ended, type ProcessOptions, runProcess } from './process.ts';
import { type Become, parseRemoteStderr, remoteCommand, stderrLines } from './remote-command.ts';
import { type Resolved, resolveTarget, type SshTarget, sshArguments } from './ssh-config.ts';
import { sshFailed, sudoFailed } from './ssh-errors.ts';

export interface OpensshOptions {
  /** Directory for control sockets: private, and short, because a socket's path has at most 104 bytes. */
  readonly socketDir: string;
  /** For sudo where it wants one. Travels on standard input only. */
  readonly sudoPassword?: string;
  /** Where the node keeps the list of what was written (node/files.ts); for tests. */
  readonly manifest?: string;
}

// sshd allows 10 sessions a connection (MaxSessions); two are left for the ones that kill.
const sessionsPerNode = 8;
const killsPerNode = 2;
// What ssh says when there is no kept connection to open a session in: sessions may not connect by themselves.
const noConnection =
  /hairpin-no-connection|kex_exchange_identification|UNKNOWN port|Control socket connect|mux_client_/;

/**
 * A node behind the system's OpenSSH. One connection (ControlMaster) is opened at first use and kept; commands are
 * sessions in it. It closes with `Symbol.asyncDispose`, and by itself two minutes after its last session when this
 * process dies.
 */
export class OpensshNode implements NodePort, AsyncDisposable {
  readonly name: string;
  readonly #target: SshTarget;
  readonly #options: OpensshOptions;
  readonly #socket: string;
  readonly #sessions = pLimit(sessionsPerNode);
  readonly #kills = pLimit(killsPerNode);
  #connection: Promise<{ resolved: Resolved; become: Become }> | undefined;

  constructor(target: SshTarget, options: OpensshOptions) {
    this.name = target.name;
    this.#target = target;
    this.#options = options;
    this.#socket = join(options.socketDir, randomBytes(4).toString('hex'));
  }

  probe(argv: readonly string[], opts: RunOptions = {}): Promise<RunResult> {
    return this.#run(argv, opts);
  }

  change(argv: readonly string[], opts: RunOptions = {}): Promise<RunResult> {
    return this.#run(argv, opts);
  }

  writeFile(file: FileToWrite, opts: { signal?: AbortSignal | undefined } = {}): Promise<Written> {
    return writeFileThrough((argv, o) => this.#run(argv, o ?? {}), this.name, file, {
      ...opts,
      manifest: this.#options.manifest ?? manifestPath,
    });
  }

  readFile(path: string, opts: { signal?: AbortSignal | undefined } = {}): Promise<string | undefined> {
    return readFileThrough((argv, o) => this.#run(argv, o ?? {}), this.name, path, opts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    if (connection !== undefined) await this.#close(connection.resolved);
  }

  async #close(resolved: Resolved): Promise<void> {
    // Needs the socket only; the user's configuration may have gone.
    await runSsh(['ssh', '-F', 'none', '-S', this.#socket, '-O', 'exit', resolved.destination], { timeout: 3000 });
  }

  #run(argv: readonly string[], opts: RunOptions): Promise<RunResult> {
    return this.#sessions(() => this.#attempt(argv, opts, 2));
  }

  async #attempt(argv: readonly string[], opts: RunOptions, attempts: number): Promise<RunResult> {
    const { resolved, become } = await this.#connected(opts.signal);
    const marker = randomBytes(8).toString('hex');
    const started = Promise.withResolvers<number>();
    opts.onStart?.();
    const ended = await runSsh(this.#sessionArgv(resolved, remoteCommand(marker, argv, { ...opts, become })), {
      ...this.#input(marker, become, opts),
      signal: opts.signal,
      timeout: opts.timeout,
      onLine: this.#lines(marker, opts, started.resolve),
      // The command may be about to start: then its group is known in a moment.
      beforeKill: async () => {
        const group = await started.promise;
        await this.#kills(() => this.#killRemote(resolved, become, group));
      },
    });
    throwWhenStopped(this.name, argv, ended.why, opts);
    const remote = parseRemoteStderr(marker, ended.stderr);
    if (remote.exitCode !== undefined) {
      return { argv, exitCode: remote.exitCode, stdout: ended.stdout, stderr: remote.stderr, ms: ended.ms };
    }
    if (remote.group !== undefined) throw this.#lost(argv);
    if (noConnection.test(ended.stderr) && attempts > 1) {
      // The kept connection has gone and nothing was started: a new one is no risk.
      this.#connection = undefined;
      return this.#attempt(argv, opts, attempts - 1);
    }
    const sudo = become === 'root' ? undefined : this.#sudoFailed(resolved, become, ended);
    throw sudo ?? this.#lost(argv);
  }

  #sessionArgv(resolved: Resolved, command: string): string[] {
    return [
      'ssh',
      '-S',
      this.#socket,
      '-o',
      'ControlMaster=no',
      '-o',
      'ProxyCommand=echo hairpin-no-connection >&2; exit 1',
      ...sshArguments(this.#target),
      '-o',
      'LogLevel=ERROR',
      '-T',
      '--',
      resolved.destination,
      command,
    ];
  }

  #input(marker: string, become: Become, opts: RunOptions): Pick<RunOptions, 'stdin' | 'input'> {
    const { input } = opts;
    if (become !== 'sudo-password') return input === undefined ? { stdin: opts.stdin } : { input };
    const password = `${this.#options.sudoPassword ?? ''}\n${marker}\n`;
    if (input !== undefined) return { input: Readable.from(after(password, input)) };
    const own = typeof opts.stdin === 'string' ? Buffer.from(opts.stdin) : (opts.stdin ?? new Uint8Array());
    return { stdin: Buffer.concat([Buffer.from(password), own]) };
  }

  #lines(
    marker: string,
    opts: RunOptions,
    onStart: (group: number) => void,
  ): (stream: 'stdout' | 'stderr', line: string) => void {
    const onStderr = stderrLines(marker, onStart, (line) => opts.onLine?.('stderr', line));
    return (stream, line) => (stream === 'stderr' ? onStderr(line) : opts.onLine?.(stream, line));
  }

  /** Ends the command on the node with all it started; the session that runs it only sees its end. */
  async #killRemote(resolved: Resolved, become: Become, group: number): Promise<void> {
    const marker = randomBytes(8).toString('hex');
    // dash knows no `--` after the signal.
    const script = `kill -TERM "-$1"; for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; kill -0 "-$1" || exit 0; done; kill -KILL "-$1"`;
    const command = remoteCommand(marker, ['sh', '-c', script, 'kill', String(group)], { become });
    await runSsh(this.#sessionArgv(resolved, command), { ...this.#input(marker, become, {}), timeout: 5000 });
  }

  /** One connection for all; a failed attempt is not kept, so the next command tries again. */
  #connected(signal: AbortSignal | undefined): Promise<{ resolved: Resolved; become: Become }> {
    if (this.#connection === undefined) {
      const connection = this.#connect(signal);
      this.#connection = connection;
      connection.catch(() => {
        if (this.#connection === connection) this.#connection = undefined;
      });
    }
    return this.#connection;
  }

  async #connect(signal: AbortSignal | undefined): Promise<{ resolved: Resolved; become: Become }> {
    const connectTimeout = this.#target.connectTimeout ?? 10_000;
    const resolved = await resolveTarget(this.#target, signal);
    const argv = [
      'ssh',
      '-f',
      '-N',
      '-T',
      '-M',
      '-S',
      this.#socket,
      '-o',
      'ControlPersist=120',
      '-o',
      'LogLevel=ERROR',
      '-o',
      `ConnectTimeout=${Math.max(1, Math.ceil(connectTimeout / 1000))}`,
      '-o',
      'ServerAliveInterval=5',
      '-o',
      'ServerAliveCountMax=3',
      ...resolved.hostKeyPolicy,
      ...sshArguments(this.#target),
      '--',
      resolved.destination,
    ];
    // ConnectTimeout is for each address and each exchange; the whole gets twice that and no more.
    const ended = await runSsh(argv, { timeout: connectTimeout * 2, signal });
    if (ended.why === 'aborted') throwWhenStopped(this.name, argv, 'aborted', { signal });
    const place = { node: this.name, ...resolved };
    if (ended.why === 'timeout') throw sshFailed(place, `no answer within ${connectTimeout * 2} ms`);
    if (ended.exitCode !== 0) throw sshFailed(place, ended.stderr);
    try {
      return { resolved, become: await this.#become(resolved, signal) };
    } catch (error) {
      await this.#close(resolved);
      throw error;
    }
  }

  /** Root needs nothing; others sudo, with a password only where it is wanted. A wrong password is tried once. */
  async #become(resolved: Resolved, signal: AbortSignal | undefined): Promise<Become> {
    const sudo = this.#target.sudo ?? 'auto';
    if (sudo === 'never' || (sudo === 'auto' && resolved.user === 'root')) return 'root';
    const ask = async (become: Become, stdin?: string) => {
      const marker = randomBytes(8).toString('hex');
      const input = become === 'sudo-password' ? { stdin: `${stdin}\n${marker}\n` } : {};
      const command = remoteCommand(marker, ['id', '-u'], { become });
      const ended = await runSsh(this.#sessionArgv(resolved, command), {
        ...input,
        timeout: 20_000,
        signal,
      });
      const remote = parseRemoteStderr(marker, ended.stderr);
      return { root: remote.exitCode === 0 && ended.stdout.trim() === '0', ended };
    };
    if (sudo === 'auto' && (await ask('root')).root) return 'root';
    const plain = await ask('sudo');
    if (plain.root) return 'sudo';
    const password = this.#options.sudoPassword;
    // A user whom sudo refuses altogether is not asked for a password.
    if (password === undefined || !/password/i.test(plain.ended.stderr)) {
      throw this.#notStarted(resolved, 'sudo', plain.ended);
    }
    const wrong = await this.#wrongPassword(resolved, password, signal);
    if (wrong !== undefined) throw wrong;
    const withPassword = await ask('sudo-password', password);
    if (withPassword.root) return 'sudo-password';
    throw this.#notStarted(resolved, 'sudo-password', withPassword.ended);
  }

  /** Asks sudo with nothing but the password on its input: what follows it would be taken as a second and third try. */
  async #wrongPassword(
    resolved: Resolved,
    password: string,
    signal: AbortSignal | undefined,
  ): Promise<OperatorError | undefined> {
    const ended = await runSsh(this.#sessionArgv(resolved, "sudo -S -p '' -- true"), {
      stdin: `${password}\n`,
      timeout: 20_000,
      signal,
    });
    return ended.exitCode === 0 ? undefined : this.#notStarted(resolved, 'sudo-password', ended);
  }

  #sudoFailed(resolved: Resolved, become: Become, ended: Ended): OperatorError | undefined {
    return sudoFailed(this.name, resolved.user, ended.stderr, become === 'sudo-password');
  }

  #notStarted(resolved: Resolved, become: Become, ended: Ended): OperatorError {
    return this.#sudoFailed(resolved, become, ended) ?? sshFailed({ node: this.name, ...resolved }, ended.stderr);
  }

  #lost(argv: readonly string[]): OperatorError {
    this.#connection = undefined;
    return new OperatorError(
      'NODE_CONNECTION_LOST',
      `The connection to node ${this.name} broke while a command ran: ${commandInWords(argv)}`,
      {
        cause: 'ssh ended without the exit code of the command',
        hint: `the command may have taken effect and may still be running there; run the same hairpin command again, it looks first`,
      },
    );
  }
}

async function* after(first: string, rest: Readable): AsyncGenerator<unknown> {
  yield first;
  yield* rest;
}

/** Debian's ssh forwards the caller's locale: with C the far side's tools print what parsers and error texts expect. */
function runSsh(argv: readonly string[], opts: ProcessOptions): Promise<Ended> {
  return runProcess(argv, { ...opts, env: { LC_ALL: 'C', LANG: 'C' } });
}
