import { Command } from 'commander';
import { type Diagnosis, diagnoseCluster, diagnoseLogs, exitCodes, explain } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';
import { type ClusterOptions, fileOption, sessionFor, sudoOption, timeoutOption } from './cluster-options.ts';
import { doctorText, lookedText } from './doctor-text.ts';

interface Options extends ClusterOptions {
  readonly log?: readonly string[];
  readonly timeout?: number;
}

/** `hairpin doctor`: from what is seen to why, and to the next command. Exit code 0 when nothing is wrong, 2 otherwise. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('say what is wrong with the cluster, why, and what to do; exit code 2 when something is')
    .addOption(fileOption())
    .option('--log <file...>', 'judge these instead of nodes: logs, folders of them, support bundles')
    .addOption(timeoutOption('4.5s'))
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  hairpin doctor -f cluster.yaml\n  hairpin doctor --log /var/log/kubeadm.log kubelet.journal\n  hairpin doctor explain endpoint-hairpins\n',
    )
    .addCommand(explainCommand())
    .action((options: Options) =>
      runCommand(options, async (cx) => {
        const text = (diagnosis: Diagnosis, looked: string) =>
          doctorText(diagnosis, looked, { color: cx.color, width: Math.min(process.stdout.columns ?? 100, 120) });
        if (options.log !== undefined) {
          const diagnosis = await diagnoseLogs(options.log);
          const { files, lines } = diagnosis;
          const looked = `${lines} lines in ${files} file${files === 1 ? '' : 's'} were read.`;
          cx.print(diagnosis, () => text(diagnosis, looked));
          return codeOf(diagnosis);
        }
        await using session = await sessionFor(options, cx);
        const diagnosis = await diagnoseCluster({
          session,
          emit: cx.emit,
          signal: cx.signal,
          budgetMs: options.timeout,
        });
        cx.print(diagnosis, () => text(diagnosis, lookedText(diagnosis)));
        return codeOf(diagnosis);
      }),
    );
}

function codeOf({ findings, symptoms }: Diagnosis): number {
  return findings.length + symptoms.length === 0 ? exitCodes.ok : exitCodes.changes;
}

function explainCommand(): Command {
  return new Command('explain')
    .description('say what is known about a cause')
    .argument('<cause>', 'its name, as doctor prints it')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin doctor explain endpoint-hairpins\n')
    .action((id: string, _options: unknown, command: Command) =>
      runCommand(command.optsWithGlobals(), async (cx) => {
        const { cause, text } = explain(id);
        cx.print({ ...cause, signs: cause.signs.map((sign) => ({ ...sign, match: sign.match.source })) }, () => text);
        return Promise.resolve(exitCodes.ok);
      }),
    );
}
