import { Command, InvalidArgumentError, Option } from 'commander';
import { allOk, checkCluster, checkNames, exitCodes } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';
import { checkTimingCommand } from './check-timing.ts';
import { checksTable } from './checks-table.ts';
import { type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly tries: number;
  readonly only?: readonly string[];
}

/** `hairpin check`: asks whether it is so, and says each thing as a sentence. */
export function checkCommand(): Command {
  return new Command('check')
    .description('check everything that should be true of the cluster; exit code 2 when something is not')
    .addOption(fileOption())
    .option('--tries <n>', 'connections to the endpoint from each node and pod', count, 30)
    .addOption(new Option('--only <check...>', 'some of them').choices([...checkNames]))
    .addOption(sudoOption())
    .addCommand(checkTimingCommand())
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin check -f cluster.yaml --tries 300 --only endpoint-reached\n')
    .action((options: Options) =>
      runCommand(options, async (cx) => {
        await using session = await sessionFor(options, cx);
        const { tries, only } = options;
        const results = await checkCluster({ session, emit: cx.emit, signal: cx.signal, tries, only });
        cx.print({ ok: allOk(results), checks: results }, () => checksTable(results, { color: cx.color }));
        return allOk(results) ? exitCodes.ok : exitCodes.changes;
      }),
    );
}

function count(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > 10_000) throw new InvalidArgumentError('a number from 1 to 10000');
  return n;
}
