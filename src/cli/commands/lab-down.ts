import { Command } from 'commander';
import { labNames, OperatorError, stopLab } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

/** `hairpin lab down`. */
export function labDownCommand(): Command {
  return new Command('down')
    .description('take a lab down and remove all of it; fine for a half-made one, and when there is none')
    .option('--lab <name>', 'name of the lab (default: lab)')
    .option('--all', 'every lab on this machine')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab down --lab rehearsal\n')
    .action(async (options: { lab?: string; all?: boolean; output?: string }) =>
      runCommand(options, async ({ print }) => {
        if (options.all === true && options.lab !== undefined) {
          throw new OperatorError('USAGE', '--all and --lab exclude each other');
        }
        const names = options.all === true ? await labNames() : [options.lab ?? 'lab'];
        const results = await Promise.all(names.map(async (name) => ({ name, removed: await stopLab(name) })));
        print({ labs: results }, () =>
          results.length === 0
            ? 'There is no lab.'
            : results.map(({ name, removed }) => (removed ? `${name} is down` : `There is no lab ${name}.`)).join('\n'),
        );
        return undefined;
      }),
    );
}
