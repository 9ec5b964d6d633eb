import { join } from 'node:path';
import { Command, Option } from 'commander';
import {
  type HairpinBehaviour,
  loadSpec,
  programId,
  renderCluster,
  type StrategyName,
  strategyNames,
  type UnsafeChoice,
  unsafeChoices,
  writeNodeFiles,
} from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { type ClusterOptions, fileOption } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly directory: string;
  readonly strategy?: StrategyName;
  readonly behaviour?: HairpinBehaviour;
  readonly acceptUnsafe?: readonly UnsafeChoice[];
}

/** `hairpin render`: the files of a node in a directory; nothing is touched and no node is asked. */
export function renderCommand(): Command {
  return new Command('render')
    .description('write every file that `up` would put on a node to a directory, without touching the node')
    .argument('[node]', 'one node; all of them when left out')
    .requiredOption('-d, --directory <path>', 'where to write; each node gets a directory below it')
    .addOption(fileOption())
    .addOption(new Option('--strategy <name>', 'instead of the one in the file').choices([...strategyNames]))
    .addOption(
      new Option('--behaviour <what>', 'what the balancer does with a backend that dials it').choices([
        'works',
        'drop',
        'local',
        'one-arm',
      ]),
    )
    .addOption(new Option('--accept-unsafe <what...>', 'render what is refused otherwise').choices([...unsafeChoices]))
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin render m1 -f cluster.yaml -d ./rendered --behaviour drop\n')
    .action((node: string | undefined, options: Options) => runCommand(options, (cx) => render(node, options, cx)));
}

async function render(node: string | undefined, options: Options, cx: CommandContext): Promise<undefined> {
  const spec = await loadSpec(options.file, cx.emit);
  const { behaviour, strategy } = options;
  const { plan, nodes } = renderCluster(spec, {
    node,
    behaviour,
    strategy,
    acceptUnsafe: new Set(options.acceptUnsafe ?? []),
    program: await programId(),
  });
  const written: { node: string; files: readonly string[] }[] = [];
  for (const { node: name, files } of nodes) {
    written.push({ node: name, files: await writeNodeFiles(join(options.directory, name), files) });
  }
  cx.print({ strategy: plan.strategy, nodes: written }, () =>
    [
      `strategy ${plan.strategy.name}: ${plan.strategy.because}`,
      ...written.flatMap(({ files }) => files.map((file) => `  ${file}`)),
      'No node was touched. Secrets are names between angle brackets.',
    ].join('\n'),
  );
  return undefined;
}
