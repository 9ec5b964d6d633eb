import { Command } from 'commander';
import { checkTiming, exitCodes, formatDuration, paint, type TimingReport } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';
import { type ClusterOptions, fileOption } from './cluster-options.ts';

/** `hairpin check timing`: timeouts against each other, from the spec alone. Exit code 2 when one is in the wrong order. */
export function checkTimingCommand(): Command {
  return new Command('timing')
    .description('set the timeouts of balancer, proxies, kubelet and clients against each other; no node is asked')
    .addOption(fileOption())
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin check timing -f cluster.yaml\n')
    .action((_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ClusterOptions>();
      return runCommand(options, async (cx) => {
        const report = await checkTiming(options.file, cx.emit);
        cx.print(report, () => timingText(report, cx));
        return report.inequalities.every(({ holds }) => holds) ? exitCodes.ok : exitCodes.changes;
      });
    });
}

export function timingText({ rows, inequalities }: TimingReport, { color }: { readonly color: boolean }): string {
  const { green, red, dim } = paint(color);
  const width = Math.max(...rows.map(({ title }) => title.length));
  const span = (takes: TimingReport['rows'][number]['takes']) => {
    if (takes === 'never') return 'never';
    const [from, to] = [formatDuration(takes.atLeast), formatDuration(takes.atMost)];
    return from === to ? from : `${from} – ${to}`;
  };
  const wide = Math.max(...rows.map(({ takes }) => span(takes).length));
  const broken = inequalities.filter(({ holds }) => !holds).length;
  return [
    ...rows.map(({ title, takes, from }) => `  ${title.padEnd(width)}  ${span(takes).padEnd(wide)}  ${dim(from)}`),
    '',
    ...inequalities.flatMap(({ title, holds, numbers, why, todo, source }) =>
      holds
        ? [`${green('✔')} ${title}   ${numbers}`]
        : [`${red('✘')} ${title}   ${numbers}`, `    why    ${why}`, `    do     ${todo}`, `    from   ${source}`],
    ),
    '',
    broken === 0
      ? `${inequalities.length} of ${inequalities.length} are in the right order.`
      : `${broken} of ${inequalities.length} ${broken === 1 ? 'is' : 'are'} in the wrong order.`,
  ].join('\n');
}
