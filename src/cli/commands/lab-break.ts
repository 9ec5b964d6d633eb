import { Command } from 'commander';
import { breakLab, commonFaults, openLab } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

interface Options {
  readonly lab: string;
  readonly rate?: string;
  readonly queue?: string;
  readonly output?: string;
}

/** `hairpin lab break`. */
export function labBreakCommand(): Command {
  const widest = Math.max(...commonFaults.map(({ name }) => name.length));
  const list = commonFaults.map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}`).join('\n');
  return new Command('break')
    .description('break one thing until `lab heal`')
    .argument('<fault>', 'what to break, see below')
    .argument('[node]', 'm1, w1, c1')
    .argument('[process]', 'for freeze and stop: kube-apiserver, etcd, kubelet, …')
    .option('--lab <name>', 'name of the lab', 'lab')
    .option('--rate <rate>', 'for slow-link: how much passes, as tc writes it (default: 1mbit)')
    .option('--queue <time>', 'for slow-link: how long a packet waits before it is dropped (default: 400ms)')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `\nFaults of both tiers:\n${list}\nNodes of the node tier have more: an unknown name lists them.\n\nExample:\n  hairpin lab break freeze m1 kube-apiserver\n`,
    )
    .action(async (fault: string, target: string | undefined, process: string | undefined, options: Options) =>
      runCommand(options, async ({ signal, emit, print }) => {
        const { rate, queue } = options;
        const lab = await openLab(options.lab, { signal, emit });
        const { undo: _undo, ...record } = await breakLab(lab, {
          fault,
          target,
          process,
          options: { ...(rate === undefined ? {} : { rate }), ...(queue === undefined ? {} : { queue }) },
        });
        const what = [record.fault, record.target, ...(process === undefined ? [] : [process])].join(' ');
        print(record, () => `broken: ${what}. Heal it with \`hairpin lab heal --lab ${lab.name}\`.`);
        return undefined;
      }),
    );
}
