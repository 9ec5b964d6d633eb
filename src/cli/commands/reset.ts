import { Command } from 'commander';
import { exitCodes, type NodeReset, type ResetResult, resetCluster, undoInWords } from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { askYes, type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly yes?: boolean;
}

/** `hairpin reset`: puts the nodes back to what they were before the first `up`. */
export function resetCommand(): Command {
  return new Command('reset')
    .description('take back everything that hairpin did on the nodes; the cluster and what is in it are lost')
    .addOption(fileOption())
    .option('-y, --yes', 'do not ask')
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin reset -f cluster.yaml\n')
    .action((options: Options) => runCommand(options, (cx) => reset(options, cx)));
}

async function reset(options: Options, cx: CommandContext): Promise<number> {
  await using session = await sessionFor(options, cx);
  const result = await resetCluster({
    session,
    emit: cx.emit,
    signal: cx.signal,
    confirm: (resets) => confirm(resets, options, cx),
  });
  cx.print(forPrograms(result), () => forPeople(result));
  return result.unreachable.length === 0 ? exitCodes.ok : exitCodes.changes;
}

async function confirm(resets: readonly NodeReset[], options: Options, cx: CommandContext): Promise<boolean> {
  if (!cx.json) process.stdout.write(`${resets.map(resetInWords).join('\n')}\n`);
  if (options.yes === true) return true;
  return askYes(`Take all of this back on ${resets.length} nodes? The cluster and its data are lost.`, cx.signal);
}

export function resetInWords({ node, undos, whole }: NodeReset): string {
  const lines = undos.map((undo, index) => `${node.padEnd(4)} ${String(index + 1).padStart(3)}  ${undoInWords(undo)}`);
  return [
    ...lines,
    ...(whole
      ? [`${node.padEnd(4)} ${String(undos.length + 1).padStart(3)}  units, files and directories as they were`]
      : []),
  ].join('\n');
}

function forPrograms({ resets, notes, unreachable, journal }: ResetResult) {
  return {
    nodes: resets
      .filter(({ anything }) => anything)
      .map(({ node, undos }) => ({ node, undone: undos.map(undoInWords) })),
    notes,
    unreachable,
    journal,
  };
}

function forPeople({ resets, notes, unreachable, journal }: ResetResult): string {
  const done = resets.filter(({ anything }) => anything).map(({ node }) => node);
  return [
    ...notes,
    done.length === 0 ? 'Nothing of hairpin is on the nodes' : `${done.join(', ')}: as before the first up`,
    ...(unreachable.length === 0 ? [] : [`not reached, and left as they are: ${unreachable.join(', ')}`]),
    ...(journal === undefined ? [] : [`  journal ${journal}`]),
  ].join('\n');
}
