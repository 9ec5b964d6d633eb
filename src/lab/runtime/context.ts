import { spawn } from 'node:child_process';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import type { RunOptions, RunResult } from '../../node/port.ts';
import { runProcess } from '../../node/process.ts';
import type { Emit } from '../../report/event.ts';
import { quoteArgv } from '../../std/quote.ts';
import { enterArgv } from '../cgroup/cgroup.ts';
import { inNetns, type LabCommand } from '../commands/command.ts';
import { labPaths } from '../paths.ts';
import type { LabContext } from '../tier/tier.ts';
import { drawTopology } from '../topology/draw.ts';
import { identify } from './process-id.ts';
import type { LabState } from './state.ts';

/** Exit code of `enterArgv` when the lab's cgroups are gone: the lab is being taken down. */
const cgroupGone = 125;

/** The one door through which a lab starts processes; each is in the lab's cgroup before it does anything. */
export function createContext(state: LabState, opts: { emit: Emit; signal: AbortSignal }): LabContext {
  const paths = labPaths(state.spec.name);
  const lab = state.spec.name;
  return {
    topology: drawTopology(state.spec),
    paths,
    emit: opts.emit,
    signal: opts.signal,
    cgroups: state.cgroups,

    async run(argv: readonly string[], runOptions: RunOptions = {}): Promise<RunResult> {
      const signal = runOptions.signal ?? opts.signal;
      signal.throwIfAborted();
      const result = await runProcess(enterArgv(state.cgroups, argv), { ...runOptions, signal });
      if (result.why === 'aborted') signal.throwIfAborted();
      if (result.why === 'timeout') {
        throw new OperatorError('LAB_COMMAND_FAILED', `\`${quoteArgv(argv)}\` did not end in ${runOptions.timeout} ms`);
      }
      if (result.exitCode === cgroupGone) throw stopped(lab);
      const { exitCode, stdout, stderr, ms } = result;
      return { argv, exitCode, stdout, stderr, ms };
    },

    async daemon(name, argv, daemonOptions = {}) {
      opts.signal.throwIfAborted();
      const inside = daemonOptions.netns === undefined ? argv : inNetns(daemonOptions.netns, argv);
      const [file = '', ...args] = enterArgv(state.cgroups, inside);
      await using log = await open(join(paths.logs, `${name}.log`), 'a', 0o600);
      // A session of its own: a Ctrl-C on the terminal that brought the lab up must not reach it.
      const child = spawn(file, args, {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        env: { ...process.env, ...daemonOptions.env },
        cwd: '/',
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (cause) =>
          reject(new OperatorError('LAB_COMMAND_FAILED', `Cannot start ${name}`, { cause })),
        );
      });
      child.unref();
      const pid = child.pid ?? 0;
      await mkdir(paths.daemons, { recursive: true });
      await writeFile(join(paths.daemons, `${name}.json`), `${JSON.stringify(await identify(pid))}\n`);
      return pid;
    },
  };
}

/** Runs commands at once; the first that fails is thrown with what it printed, after all have ended. */
export async function runCommands(cx: LabContext, title: string, commands: readonly LabCommand[]): Promise<void> {
  const results = await Promise.allSettled(
    commands.map(async ({ argv, stdin }) => mustRun(cx, title, argv, stdin === undefined ? {} : { stdin })),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** As `cx.run`, for a command whose failure ends the work. */
export async function mustRun(
  cx: LabContext,
  title: string,
  argv: readonly string[],
  opts: RunOptions = {},
): Promise<RunResult> {
  const result = await cx.run(argv, opts);
  if (result.exitCode === 0) return result;
  throw new OperatorError('LAB_COMMAND_FAILED', `Cannot set up ${title} of lab \`${cx.topology.spec.name}\``, {
    cause: `\`${quoteArgv(argv)}\` ended with ${result.exitCode}: ${result.stderr.trim() || result.stdout.trim()}`,
    hint: 'see what this machine lacks: hairpin lab doctor',
  });
}

function stopped(lab: string): OperatorError {
  return new OperatorError('LAB_STOPPED', `Lab \`${lab}\` was taken down meanwhile`);
}
