import { Command, InvalidArgumentError, Option } from 'commander';
import { describeProbe, exitCodes, paint, probeCluster } from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly tries: number;
  readonly workers: number;
}

/** `hairpin probe`: what the balancer does with its own backends. Exit 0: measured, 2: undetermined or a problem. */
export function probeCommand(): Command {
  return new Command('probe')
    .description('measure what the balancer does with a master that dials it, from every node, through the endpoint')
    .addOption(fileOption())
    .addOption(new Option('--tries <n>', 'connections from each node').default(30).argParser(count(5, 200)))
    .addOption(new Option('--workers <n>', 'how many workers take part').default(3).argParser(count(0, 50)))
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Where no apiserver serves yet, throw-away listeners serve what the balancer's health check wants, for the time of the
probe. What the probe makes on a node (a listener, an nftables table that counts) is gone when it ends, and expires by
itself when it is killed.

Example:
  hairpin probe -f cluster.yaml
  hairpin probe --tries 60 --output json | jq .verdict

Exit: 0 measured · 1 failed · 2 undetermined, or something is wrong with the balancer`,
    )
    .action((options: Options) => runCommand(options, (cx) => probe(options, cx)));
}

async function probe(options: Options, cx: CommandContext): Promise<number> {
  const { emit, signal } = cx;
  await using session = await sessionFor(options, cx);
  const report = await probeCluster(session, { emit, signal, tries: options.tries, workers: options.workers });
  cx.print(report, () => describeProbe(report, { columns: process.stdout.columns ?? 120, paint: paint(cx.color) }));
  const { behaviour, problems } = report.verdict;
  return behaviour === undefined || problems.length > 0 ? exitCodes.changes : exitCodes.ok;
}

function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}
