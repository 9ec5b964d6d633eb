import { Command } from 'commander';
import { exitCodes, formatBytes, makeSupportBundle } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';
import { type ClusterOptions, fileOption, sessionFor, sudoOption, timeoutOption } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly to?: string;
  readonly timeout?: number;
}

/** `hairpin support`: one file with everything that somebody else needs to say what is wrong, and no secret. */
export function supportCommand(): Command {
  return new Command('support')
    .description('pack facts, checks, logs and journals of the cluster into one file, without secrets')
    .addOption(fileOption())
    .option('--to <file>', 'where to write it', undefined)
    .addOption(timeoutOption('15s'))
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  hairpin support -f cluster.yaml --to support.tar.gz\n  hairpin doctor --log support.tar.gz\n',
    )
    .action((options: Options) =>
      runCommand(options, async (cx) => {
        await using session = await sessionFor(options, cx);
        const now = new Date();
        const stamp = now.toISOString().slice(0, 16).replace(':', '-');
        const path = options.to ?? `hairpin-support-${session.spec.name}-${stamp}.tar.gz`;
        const bundle = await makeSupportBundle({
          session,
          path,
          emit: cx.emit,
          signal: cx.signal,
          now: () => now,
          budgetMs: options.timeout,
        });
        cx.print(bundle, () =>
          [
            `${bundle.path} is written: ${bundle.members.length} files, ${formatBytes(bundle.bytes)}, readable by you only.`,
            'Tokens, keys, certificates and passwords were taken out; addresses and names were not. Read it before you send it.',
            ...bundle.missing.map((reason) => `not in it: ${reason}`),
          ].join('\n'),
        );
        return exitCodes.ok;
      }),
    );
}
