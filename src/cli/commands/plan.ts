import { Command, Option } from 'commander';
import {
  describePlan,
  exitCodes,
  isEmptyPlan,
  planCluster,
  strategyNames,
  type UnsafeChoice,
  unsafeChoices,
} from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly acceptUnsafe?: readonly UnsafeChoice[];
  readonly measure: boolean;
}

/** `hairpin plan`: what `up` would do. Exit 0: nothing, 2: there are changes, 1: it cannot be carried out. */
export function planCommand(): Command {
  return new Command('plan')
    .description(
      'show every step that `up` would take, who dials what meanwhile, and what the balancer should be set to',
    )
    .addOption(fileOption())
    .addOption(new Option('--strategy <name>', 'instead of the one in the file').choices(['auto', ...strategyNames]))
    .addOption(new Option('--accept-unsafe <what...>', 'plan what is refused otherwise').choices([...unsafeChoices]))
    .option('--no-measure', 'do not measure the balancer, which takes some seconds and all nodes')
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  hairpin plan -f cluster.yaml\n  hairpin plan --strategy bind-vip --output json\n',
    )
    .action((options: Options) => runCommand(options, (cx) => plan(options, cx)));
}

async function plan(options: Options, cx: CommandContext): Promise<number> {
  await using session = await sessionFor(options, cx);
  const acceptUnsafe = new Set(options.acceptUnsafe ?? []);
  const planned = await planCluster(session, {
    emit: cx.emit,
    signal: cx.signal,
    acceptUnsafe,
    measure: options.measure,
  });
  cx.print(planned, () => describePlan(planned, { columns: process.stdout.columns ?? 120 }));
  if (planned.blockers.length > 0) return exitCodes.failed;
  return isEmptyPlan(planned) ? exitCodes.ok : exitCodes.changes;
}
