import { Command } from 'commander';
import { openLab, sshToLab } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

/** `hairpin lab ssh`. */
export function labSshCommand(): Command {
  return new Command('ssh')
    .description("log in to a node of the node tier with the lab's keys, or run a command there")
    .argument('<node>', 'm1, w1, …')
    .argument('[command...]', 'a command, after --')
    .option('--lab <name>', 'name of the lab', 'lab')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab ssh m1 -- crictl ps\n')
    .action(async (node: string, argv: readonly string[], options: { lab: string; output?: string }) =>
      runCommand(
        options,
        async ({ signal }) => await sshToLab(await openLab(options.lab, { signal }), node, argv, { signal }),
      ),
    );
}
