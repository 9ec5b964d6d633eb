import { Command } from 'commander';
import { type DrainResult, drainNode, exitCodes } from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';

/** `hairpin node …`: what is done to one node of a cluster. */
export function nodeCommand(): Command {
  return new Command('node')
    .description('one node of the cluster')
    .addCommand(
      drainLike(
        'drain',
        'drained',
        'send no new connections to the apiserver of this master, from nodes and (by the readiness mirror) from the balancer; the ones that exist live on',
      ),
    )
    .addCommand(drainLike('undrain', 'in-service', 'give a drained master its connections again'));
}

function drainLike(verb: string, to: DrainResult['to'], summary: string): Command {
  return new Command(verb)
    .description(summary)
    .argument('<node>', 'a master of the spec')
    .addOption(fileOption())
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText('after', `\nExample:\n  hairpin node ${verb} m2 -f cluster.yaml\n`)
    .action((node: string, options: ClusterOptions) => runCommand(options, (cx) => drain(node, to, options, cx)));
}

async function drain(
  node: string,
  to: DrainResult['to'],
  options: ClusterOptions,
  cx: CommandContext,
): Promise<number> {
  await using session = await sessionFor(options, cx);
  const result = await drainNode({ session, node, to, emit: cx.emit, signal: cx.signal });
  cx.print(result, () => inWords(result));
  return exitCodes.ok;
}

function inWords({ node, to, changed, told, inService, unsure }: DrainResult): string {
  const is = to === 'drained' ? 'is drained' : 'is in service';
  const unknown = unsure.length === 0 ? [] : [`  not known   ${unsure.join(', ')} (not reached: see hairpin status)`];
  if (!changed) return [`${node} ${is}; it was already, and every agent says so`, ...unknown].join('\n');
  return [
    `${node} ${is}: the agents of ${told.join(', ')} were told, and all say so`,
    `  in service  ${inService.join(', ')}`,
    ...unknown,
    ...(to === 'drained' ? [`  afterwards  hairpin node undrain ${node}`] : []),
  ].join('\n');
}
