import { Command } from 'commander';
import { describePlan, exitCodes, installAgent, isOfAgent, type Plan, resetCluster } from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { askYes, type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';
import { resetInWords } from './reset.ts';

interface Options extends ClusterOptions {
  readonly yes?: boolean;
}

/** `hairpin agent install`: steering for a cluster that exists, whoever made it. */
export function agentInstallCommand(): Command {
  return new Command('install')
    .description(
      'put the agent on the nodes of a kubeadm cluster that exists, whoever made it, and change nothing else',
    )
    .addOption(fileOption())
    .option('-y, --yes', 'do not ask')
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  hairpin init --from-cluster root@m1 > cluster.yaml\n  hairpin agent install -f cluster.yaml\n',
    )
    .action((options: Options) => runCommand(options, (cx) => install(options, cx)));
}

async function install(options: Options, cx: CommandContext): Promise<number> {
  await using session = await sessionFor({ ...options, strategy: 'steer' }, cx);
  const { plan, changed, notMembers, journal } = await installAgent({
    session,
    emit: cx.emit,
    signal: cx.signal,
    confirm: async (shown: Plan) => {
      if (!cx.json) process.stdout.write(describePlan(shown, { columns: process.stdout.columns ?? 120 }));
      const nodes = new Set(shown.steps.map((step) => step.node)).size;
      return options.yes === true || (await askYes(`Install the agent on ${nodes} nodes?`, cx.signal));
    },
  });
  const nodes = [...new Set(plan.steps.map((step) => step.node))];
  cx.print({ cluster: plan.cluster, changed, nodes, notMembers, journal }, () =>
    [
      changed ? `The agent runs on ${nodes.join(', ')}` : 'The agent is everywhere already',
      ...(notMembers.length === 0 ? [] : [`not in the cluster, and left alone: ${notMembers.join(', ')}`]),
      ...(journal === undefined ? [] : [`  journal ${journal}`]),
      '  next    hairpin agent status -f cluster.yaml',
    ].join('\n'),
  );
  return exitCodes.ok;
}

/** `hairpin agent uninstall`: takes the agent back, and leaves the cluster as it is. */
export function agentUninstallCommand(): Command {
  return new Command('uninstall')
    .description(
      'stop the agent everywhere and take it back; connections that are open live on, new ones go to the balancer',
    )
    .addOption(fileOption())
    .option('-y, --yes', 'do not ask')
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin agent uninstall -f cluster.yaml\n')
    .action((options: Options) => runCommand(options, (cx) => uninstall(options, cx)));
}

async function uninstall(options: Options, cx: CommandContext): Promise<number> {
  await using session = await sessionFor(options, cx);
  const result = await resetCluster({
    session,
    emit: cx.emit,
    signal: cx.signal,
    only: isOfAgent,
    command: 'agent uninstall',
    confirm: async (resets) => {
      if (!cx.json) process.stdout.write(`${resets.map(resetInWords).join('\n')}\n`);
      return options.yes === true || (await askYes(`Take the agent back on ${resets.length} nodes?`, cx.signal));
    },
  });
  const nodes = result.resets.filter(({ anything }) => anything).map(({ node }) => node);
  const { unreachable, notes, journal } = result;
  cx.print({ nodes, unreachable, notes, journal }, () =>
    [
      nodes.length === 0 ? 'There is no agent on these nodes' : `${nodes.join(', ')}: without the agent`,
      ...notes,
      ...(unreachable.length === 0 ? [] : [`not reached: ${unreachable.join(', ')}`]),
    ].join('\n'),
  );
  return unreachable.length === 0 ? exitCodes.ok : exitCodes.changes;
}
