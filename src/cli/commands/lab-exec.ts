import { Command } from 'commander';
import { execInLab, openLab } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

/** `hairpin lab exec`. */
export function labExecCommand(): Command {
  return new Command('exec')
    .description('run a command inside a machine, as root; standard streams and the exit code pass through')
    .argument('<node>', 'm1, w1, c1, or in the wire tier a pod: m1-pod')
    .argument('<command...>', 'the command, after --')
    .option('--lab <name>', 'name of the lab', 'lab')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab exec m1 -- curl -sk https://172.16.105.26:6443/readyz\n')
    .action(async (node: string, argv: readonly string[], options: { lab: string; output?: string }) =>
      runCommand(
        options,
        async ({ signal }) => await execInLab(await openLab(options.lab, { signal }), node, argv, { signal }),
      ),
    );
}
