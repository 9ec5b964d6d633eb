import { isSea } from 'node:sea';
import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { exitCodes, runDaemonVerb } from '../index.ts';
import { agentCommand } from './commands/agent.ts';
import { bundleCommand } from './commands/bundle.ts';
import { checkCommand } from './commands/check.ts';
import { doctorCommand } from './commands/doctor.ts';
import { drillCommand } from './commands/drill.ts';
import { initCommand } from './commands/init.ts';
import { kubeconfigCommand } from './commands/kubeconfig.ts';
import { labCommand } from './commands/lab.ts';
import { nodeCommand } from './commands/node.ts';
import { planCommand } from './commands/plan.ts';
import { probeCommand } from './commands/probe.ts';
import { renderCommand } from './commands/render.ts';
import { resetCommand } from './commands/reset.ts';
import { statusCommand } from './commands/status.ts';
import { supportCommand } from './commands/support.ts';
import { upCommand } from './commands/up.ts';

/** The whole command line. Verbs that are not built are not registered. */
export function createProgram(): Command {
  const program = new Command('hairpin')
    .description(
      'Highly available Kubernetes control planes behind load balancers that their own backends cannot reach',
    )
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpCommand(false);
  for (const command of [
    initCommand(),
    probeCommand(),
    planCommand(),
    upCommand(),
    statusCommand(),
    checkCommand(),
    doctorCommand(),
    drillCommand(),
    supportCommand(),
    kubeconfigCommand(),
    renderCommand(),
    resetCommand(),
    nodeCommand(),
    agentCommand(runDaemonVerb),
    bundleCommand(`hairpin ${packageJson.version}`),
    // The lab runs its own source; the executable has none.
    ...(isSea() ? [] : [labCommand()]),
  ]) {
    program.addCommand(command);
  }
  throwOnUsageProblems(program);
  return program;
}

/** Parses `argv` (without node and script) and runs the command; usage problems end with exit code 64. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has had enough (`| head`) is no defect, and no reason to leave nodes half changed.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (!('code' in error) || error.code !== 'EPIPE') throw error;
    });
  }
  try {
    await createProgram().parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
}

/** Commands that are added whole do not take this from their parent, and would end the process with exit code 1. */
function throwOnUsageProblems(command: Command): void {
  command.exitOverride().showHelpAfterError('(see --help)');
  for (const child of command.commands) throwOnUsageProblems(child);
}
