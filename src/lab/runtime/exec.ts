import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { OperatorError } from '../../errors/operator-error.ts';
import { enterArgv } from '../cgroup/cgroup.ts';
import type { RunningLab } from './open-lab.ts';

/**
 * Runs a command inside a machine with our own standard streams (a terminal stays one) and gives its exit code, 128 + n
 * when a signal ended it. An abort is passed on as SIGTERM; a Ctrl-C reaches the command by itself, through the terminal.
 */
export async function execInLab(
  lab: RunningLab,
  machine: string,
  argv: readonly string[],
  opts: { readonly signal: AbortSignal },
): Promise<number> {
  return await passThrough(enterArgv(lab.cx.cgroups, lab.argvIn(machine, argv)), opts);
}

/** As `ssh -F ssh_config NODE …`, with the lab's own keys; only nodes that run sshd can be reached like this. */
export async function sshToLab(
  lab: RunningLab,
  machine: string,
  argv: readonly string[],
  opts: { readonly signal: AbortSignal },
): Promise<number> {
  if (lab.spec.tier !== 'node') {
    throw new OperatorError('USAGE', `Machines of the ${lab.spec.tier} tier are namespaces without sshd`, {
      hint: `hairpin lab exec ${machine} --lab ${lab.name} -- sh`,
    });
  }
  const found = lab.spec.machines.find((candidate) => candidate.name === machine);
  // Checked here, because ssh would go and look for a host of that name in the world outside.
  if (found === undefined || found.role === 'client') {
    const names = lab.spec.machines.filter(({ role }) => role !== 'client').map(({ name }) => name);
    throw new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${lab.name}\` has no node \`${machine}\``, {
      hint: `it has ${names.join(', ')}`,
    });
  }
  return await passThrough(['ssh', '-F', lab.cx.paths.sshConfig, machine, ...argv], opts);
}

async function passThrough(argv: readonly string[], opts: { readonly signal: AbortSignal }): Promise<number> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: 'inherit' });
  const stop = () => child.kill('SIGTERM');
  opts.signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(new OperatorError('TOOL_MISSING', `Cannot start \`${file}\``, { cause })));
      child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    opts.signal.removeEventListener('abort', stop);
  }
}
