import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type BalancerRequest,
  changeBalancer,
  type DnsRecord,
  OperatorError,
  openLab,
  parseAddress,
  parseDuration,
  readBalancerStatus,
  readDns,
  setDns,
} from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';
import { formatBalancerStatus } from './lab-balancer-table.ts';

interface Common {
  readonly lab: string;
  readonly output?: string;
}

/** `hairpin lab balancer …`. */
export function labBalancerCommand(): Command {
  return new Command('balancer')
    .exitOverride()
    .description("look at the lab's balancer, and change it while it runs")
    .addCommand(statusCommand())
    .addCommand(setCommand())
    .addCommand(checksCommand())
    .addCommand(powerCommand())
    .addCommand(dnsCommand());
}

function statusCommand(): Command {
  return common(new Command('status'), 'hairpin lab balancer status')
    .description('show backends, their health, connections and open flows')
    .action(async (options: Common) =>
      runCommand(options, async ({ signal, print }) => {
        const { cx } = await openLab(options.lab, { signal });
        const status = await readBalancerStatus(cx.paths, { signal });
        print(status, () => formatBalancerStatus(status, Date.now()));
        return undefined;
      }),
    );
}

function setCommand(): Command {
  return common(new Command('set'), 'hairpin lab balancer set m2 --eject')
    .description('overrule the health check of a backend, or give it another weight')
    .argument('<backend>', 'name of a master')
    .addOption(new Option('--eject', 'no new connections, whatever its health').conflicts(['admit', 'auto']))
    .addOption(new Option('--admit', 'new connections, whatever its health').conflicts(['eject', 'auto']))
    .addOption(new Option('--auto', 'give it back to the health check'))
    .option('--weight <n>', 'share of new connections, 0 to 100; 1 is what all have', wholeNumber)
    .action(async (name: string, options: Common & { eject?: true; admit?: true; auto?: true; weight?: number }) =>
      runCommand(options, async ({ signal, print }) => {
        const { eject, admit, auto, weight } = options;
        const forced = eject === true ? 'out' : admit === true ? 'in' : auto === true ? 'auto' : undefined;
        if (forced === undefined && weight === undefined) {
          throw new OperatorError('USAGE', 'Nothing to set', { hint: 'give --eject, --admit, --auto or --weight' });
        }
        await change(options.lab, signal, print, {
          op: 'backend',
          name,
          ...(forced === undefined ? {} : { forced }),
          ...(weight === undefined ? {} : { weight }),
        });
      }),
    );
}

function checksCommand(): Command {
  return common(new Command('checks'), 'hairpin lab balancer checks --interval 10s')
    .description('pause health checks, or make them slow')
    .addOption(new Option('--pause', 'make no checks; health stays as it is').conflicts('resume'))
    .option('--resume', 'make checks again')
    .option('--interval <duration>', 'time between the starts of two checks, such as 500ms or 30s', duration)
    .action(async (options: Common & { pause?: true; resume?: true; interval?: number }) =>
      runCommand(options, async ({ signal, print }) => {
        const { pause, resume, interval } = options;
        if (pause === undefined && resume === undefined && interval === undefined) {
          throw new OperatorError('USAGE', 'Nothing to set', { hint: 'give --pause, --resume or --interval' });
        }
        await change(options.lab, signal, print, {
          op: 'checks',
          ...(pause === undefined && resume === undefined ? {} : { paused: pause === true }),
          ...(interval === undefined ? {} : { intervalMs: interval }),
        });
      }),
    );
}

function powerCommand(): Command {
  return common(new Command('power'), 'hairpin lab balancer power off')
    .description('switch the whole balancer off (it swallows every packet) or on')
    .addArgument(new Command().createArgument('<to>', 'on or off').choices(['on', 'off']))
    .action(async (to: 'on' | 'off', options: Common) =>
      runCommand(options, async ({ signal, print }) => change(options.lab, signal, print, { op: 'power', to })),
    );
}

function dnsCommand(): Command {
  return common(new Command('dns'), 'hairpin lab balancer dns api.lab.internal 172.16.105.27')
    .description("show what the lab's DNS server answers, or change what a name resolves to")
    .argument('[name]', 'the name to change')
    .argument('[addresses...]', 'what it resolves to from now on; none with --remove')
    .option('--remove', 'the name resolves to nothing')
    .action(async (name: string | undefined, texts: string[], options: Common & { remove?: true }) =>
      runCommand(options, async ({ signal, print }) => {
        const { cx } = await openLab(options.lab, { signal });
        if (name !== undefined) {
          if ((texts.length === 0) !== (options.remove === true)) {
            throw new OperatorError('USAGE', `What should ${name} resolve to?`, {
              hint: 'give addresses, or --remove and no address',
            });
          }
          await setDns(cx.paths, name, texts.map(mustBeAddress));
        }
        const records = await readDns(cx.paths);
        print(
          records.map((r) => ({ name: r.name, addresses: r.addresses.map((a) => a.text) })),
          () => formatRecords(records),
        );
        return undefined;
      }),
    );
}

/** Changes the balancer and shows what it is after that. */
async function change(
  lab: string,
  signal: AbortSignal,
  print: (value: unknown, text: () => string) => void,
  request: Exclude<BalancerRequest, { op: 'status' | 'ping' }>,
): Promise<undefined> {
  const { cx } = await openLab(lab, { signal });
  await changeBalancer(cx.paths, request, { signal });
  const status = await readBalancerStatus(cx.paths, { signal });
  print(status, () => formatBalancerStatus(status, Date.now()));
}

function common(command: Command, example: string): Command {
  return command
    .exitOverride() // not inherited by a command that is added ready-made; without it usage errors exit with 1
    .option('--lab <name>', 'name of the lab', 'lab')
    .addOption(outputOption())
    .addHelpText('after', `\nExample:\n  ${example}\n`);
}

function formatRecords(records: readonly DnsRecord[]): string {
  const widest = Math.max(0, ...records.map((r) => r.name.length));
  return records.map((r) => `${r.name.padEnd(widest)}  ${r.addresses.map((a) => a.text).join(', ')}`).join('\n');
}

function mustBeAddress(text: string) {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new OperatorError('USAGE', `\`${text}\` is not an IP address`);
  return parsed;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a duration such as 500ms, 2s or 1m.');
  return Math.round(ms);
}
