import { Command } from 'commander';
import { healFaults, openLab } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

/** `hairpin lab heal`. */
export function labHealCommand(): Command {
  return new Command('heal')
    .description('put right what `lab break` broke: everything, or one fault, or one fault of one node')
    .argument('[fault]', 'the fault; all without one')
    .argument('[node]', 'only there')
    .option('--lab <name>', 'name of the lab', 'lab')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab heal silent m2\n')
    .action(async (fault: string | undefined, target: string | undefined, options: { lab: string; output?: string }) =>
      runCommand(options, async ({ signal, emit, print }) => {
        const healed = await healFaults(await openLab(options.lab, { signal, emit }), { fault, target });
        print({ healed: healed.map(({ undo: _undo, ...record }) => record) }, () =>
          healed.length === 0
            ? 'Nothing was broken.'
            : healed.map((record) => `healed: ${record.fault} ${record.target}`).join('\n'),
        );
        return undefined;
      }),
    );
}
