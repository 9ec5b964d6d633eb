import { Command } from 'commander';
import { listSnapshots, openLab, removeSnapshot, type Snapshot, saveSnapshot } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

/** `hairpin lab snapshot NAME`, `hairpin lab snapshot list`, `hairpin lab snapshot remove NAME`. */
export function labSnapshotCommand(): Command {
  return new Command('snapshot')
    .description('keep a lab of real nodes as it is now; `lab up --from NAME` brings it back in seconds')
    .argument('<name>', 'name of the snapshot')
    .option('--lab <name>', 'name of the lab', 'lab')
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nThe nodes are shut down in order and started again.\n\nExample:\n  hairpin lab snapshot cluster && hairpin lab up --from cluster --lab try\n',
    )
    .action(async (name: string, options: { lab: string; output?: string }) =>
      runCommand(options, async ({ emit, signal, print }) => {
        const snapshot = await saveSnapshot(await openLab(options.lab, { emit, signal }), name);
        print(view(snapshot), () => `${name} is kept; bring it back with: hairpin lab up --from ${name}`);
        return undefined;
      }),
    )
    .addCommand(listCommand())
    .addCommand(removeCommand());
}

// `snapshot` has an option `--output` of its own, and commander gives what is typed to the outermost command that has it.
function listCommand(): Command {
  return new Command('list')
    .description('list the snapshots')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab snapshot list --output json\n')
    .action(async (_options: unknown, command: Command) =>
      runCommand(command.optsWithGlobals(), async ({ print }) => {
        const all = await listSnapshots();
        print(all.map(view), () => (all.length === 0 ? 'no snapshots' : all.map(line).join('\n')));
        return undefined;
      }),
    );
}

function removeCommand(): Command {
  return new Command('remove')
    .description('remove a snapshot; labs made from it are not affected')
    .argument('<name>', 'name of the snapshot')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab snapshot remove cluster\n')
    .action(async (name: string, _options: unknown, command: Command) =>
      runCommand(command.optsWithGlobals(), async ({ print }) => {
        await removeSnapshot(name);
        print({ removed: name }, () => `${name} is removed`);
        return undefined;
      }),
    );
}

function view({ name, madeAt, spec }: Snapshot) {
  const count = (role: string) => spec.machines.filter((machine) => machine.role === role).length;
  return {
    name,
    madeAt,
    lab: spec.name,
    kubernetes: spec.kubernetes,
    masters: count('control-plane'),
    workers: count('worker'),
    balancer: spec.preset ?? spec.balancer.behaviour,
  };
}

function line(snapshot: Snapshot): string {
  const { name, madeAt, kubernetes, masters, workers, balancer } = view(snapshot);
  return `${name}  ${masters} masters, ${workers} workers, ${kubernetes}, ${balancer}, made ${madeAt}`;
}
