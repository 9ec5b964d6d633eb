import { once } from 'node:events';
import { Command } from 'commander';
import { OperatorError, openLab, startProxy } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

interface Options {
  readonly lab: string;
  readonly port?: string;
  readonly listen: string;
  readonly output?: string;
}

/** `hairpin lab proxy`. */
export function labProxyCommand(): Command {
  return new Command('proxy')
    .description('make a port of the endpoint, or of a node, reachable from this machine until Ctrl-C')
    .argument('[node]', 'a node; without one, the endpoint as an outside client sees it')
    .option('--lab <name>', 'name of the lab', 'lab')
    .option('--port <port>', "port inside the lab (default: the endpoint's)")
    .option('--listen <where>', 'a port of 127.0.0.1 (0: any free one) or the path of a Unix socket', '0')
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  hairpin lab proxy --listen 16443 &\n  curl -k https://127.0.0.1:16443/version\n',
    )
    .action(async (node: string | undefined, options: Options) =>
      runCommand(options, async ({ signal, print }) => {
        const lab = await openLab(options.lab, { signal });
        await using proxy = await startProxy(lab, {
          machine: node,
          port: options.port === undefined ? undefined : portOf(options.port, '--port'),
          listen: /^\d+$/.test(options.listen) ? portOf(options.listen, '--listen') : options.listen,
        });
        const { listening, target } = proxy;
        print({ listening, target }, () => `${listening} leads to ${target} in lab ${lab.name}, until Ctrl-C`);
        if (!signal.aborted) await once(signal, 'abort');
        return undefined;
      }),
    );
}

function portOf(text: string, flag: string): number {
  const port = Number(text);
  const least = flag === '--listen' ? 0 : 1;
  if (Number.isInteger(port) && port >= least && port <= 65_535) return port;
  throw new OperatorError('USAGE', `${flag}: \`${text}\` is not a port; expected ${least} to 65535`);
}
