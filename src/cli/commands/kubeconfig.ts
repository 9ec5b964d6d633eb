import { chmod, writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { adminKubeconfig, exitCodes, openTunnel } from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';

interface Options extends ClusterOptions {
  readonly to: string;
  readonly via?: 'ssh';
  readonly out?: string;
}

/** `hairpin kubeconfig`: an admin kubeconfig that works from here. */
export function kubeconfigCommand(): Command {
  return new Command('kubeconfig')
    .description('print an admin kubeconfig that works from here: by the endpoint, by one master, or through ssh')
    .addOption(fileOption())
    .option('--to <endpoint|master>', 'whom it dials: auto, endpoint, or the name of a master', 'auto')
    .addOption(
      new Option('--via <way>', 'keep a tunnel open through ssh and dial a master at its far end').choices(['ssh']),
    )
    .option('--out <file>', 'write it there, with mode 0600, instead of printing it')
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  hairpin kubeconfig --out ~/.kube/prod\n  hairpin kubeconfig --to m2 > m2.conf      works while the balancer does not\n  hairpin kubeconfig --via ssh --out ./kc   in another terminal: kubectl --kubeconfig ./kc get nodes\n',
    )
    .action((options: Options) => runCommand(options, (cx) => kubeconfig(options, cx)));
}

async function kubeconfig(options: Options, cx: CommandContext): Promise<number> {
  await using session = await sessionFor(options, cx);
  const { signal } = cx;
  if (options.via === 'ssh') {
    await using tunnel = await openTunnel(session, signal);
    const to = options.to === 'auto' ? tunnel.master : options.to;
    const made = await adminKubeconfig({ session, signal, to, proxyUrl: tunnel.proxyUrl });
    await give(made, options, cx);
    cx.emit({ kind: 'note', text: `the tunnel through ${tunnel.master} is open until Ctrl-C` });
    await Promise.race([tunnel.ended, aborted(signal)]);
    return exitCodes.ok;
  }
  await give(await adminKubeconfig({ session, signal, to: options.to }), options, cx);
  return exitCodes.ok;
}

async function give(
  made: { text: string; to: string; because: string },
  options: Options,
  cx: CommandContext,
): Promise<void> {
  const { text, to, because } = made;
  if (options.out === undefined) {
    cx.print({ to, because, kubeconfig: text }, () => text);
    return;
  }
  await writeFile(options.out, text, { mode: 0o600 });
  // The mode above counts for new files only.
  await chmod(options.out, 0o600);
  cx.print({ to, because, file: options.out }, () => `${options.out}: dials ${to} (${because})`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
