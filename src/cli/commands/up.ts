import { Command, Option } from 'commander';
import {
  allOk,
  bringUp,
  describePlan,
  exitCodes,
  formatDuration,
  type Plan,
  strategyNames,
  type UnsafeChoice,
  type UpResult,
  unsafeChoices,
} from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { checksTable } from './checks-table.ts';
import { askYes, type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly acceptUnsafe?: readonly UnsafeChoice[];
  readonly yes?: boolean;
}

/** `hairpin up`: makes the nodes the cluster that cluster.yaml describes. */
export function upCommand(): Command {
  return new Command('up')
    .description('bring the cluster up: shows the plan, asks, carries it out, checks; may be run again at any time')
    .addOption(fileOption())
    .addOption(new Option('--strategy <name>', 'instead of the one in the file').choices(['auto', ...strategyNames]))
    .addOption(new Option('--accept-unsafe <what...>', 'build what is refused otherwise').choices([...unsafeChoices]))
    .option('-y, --yes', 'do not ask')
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  hairpin up -f cluster.yaml\n  hairpin up --strategy steer --yes --output json\n',
    )
    .action((options: Options) => runCommand(options, (cx) => up(options, cx)));
}

async function up(options: Options, cx: CommandContext): Promise<number> {
  await using session = await sessionFor(options, cx);
  const result = await bringUp({
    session,
    emit: cx.emit,
    signal: cx.signal,
    acceptUnsafe: new Set(options.acceptUnsafe ?? []),
    confirm: (plan) => confirm(plan, options, cx),
  });
  cx.print(forPrograms(result), () => forPeople(result, cx.color));
  return allOk(result.checks) ? exitCodes.ok : exitCodes.changes;
}

async function confirm(plan: Plan, options: Options, cx: CommandContext): Promise<boolean> {
  if (!cx.json) process.stdout.write(describePlan(plan, { columns: process.stdout.columns ?? 120 }));
  if (options.yes === true) return true;
  const losses = plan.warnings.filter((warning) => warning.is === 'loss').map((warning) => warning.text);
  const what = `Carry out ${plan.steps.length} steps on ${new Set(plan.steps.map((step) => step.node)).size} nodes?`;
  return askYes([...losses, what].join('\n'), cx.signal);
}

function forPrograms({ plan, changed, checks, journal, ms }: UpResult) {
  return {
    cluster: plan.cluster,
    changed,
    ok: allOk(checks),
    steps: plan.steps.length,
    ms: Math.round(ms),
    journal,
    checks,
  };
}

function forPeople({ plan, changed, checks, journal, ms }: UpResult, color: boolean): string {
  const nodes = plan.nodes.controlPlane.length + plan.nodes.workers.length;
  const bad = checks.filter(({ verdict }) => verdict.is === 'not-ok').length;
  const did = changed ? `is up in ${formatDuration(ms)}` : 'has nothing to change';
  const verdict = bad === 0 ? `${nodes} nodes, all checks ok` : `${bad} of ${checks.length} checks not ok`;
  return [
    checksTable(checks, { color }),
    '',
    `${plan.cluster} ${did}: ${verdict}`,
    ...(journal === undefined ? [] : [`  journal ${journal}`]),
    `  next    ${bad === 0 ? 'hairpin status' : 'hairpin check'}`,
  ].join('\n');
}
