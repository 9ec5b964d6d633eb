import { Command } from 'commander';
import { listLabs } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

/** `hairpin lab list`. */
export function labListCommand(): Command {
  return new Command('list')
    .description('show all labs on this machine, half-made ones too')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab list --output json\n')
    .action(async (options: { output?: string }) =>
      runCommand(options, async ({ print }) => {
        const labs = await listLabs();
        print({ labs }, () =>
          labs.length === 0
            ? 'There is no lab. Make one with `hairpin lab up`.'
            : labs
                .map(({ name, phase, tier, balancer, machines }) =>
                  [
                    name.padEnd(20),
                    phase.padEnd(8),
                    (tier ?? '–').padEnd(5),
                    (balancer ?? '–').padEnd(18),
                    `${machines} machines`,
                  ].join('  '),
                )
                .join('\n'),
        );
        return undefined;
      }),
    );
}
