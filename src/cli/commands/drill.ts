import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  clusterDrillSite,
  type DrillResult,
  type DrillSite,
  drillReports,
  exitCodes,
  healDrills,
  labSite,
  listDrills,
  OperatorError,
  openLab,
  parseDuration,
  planDrills,
  runDrills,
  showDrill,
} from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { sudoOption, sudoPassword } from './cluster-options.ts';
import { drillMatrixCommand } from './drill-matrix.ts';

interface SiteOptions {
  readonly lab?: string;
  readonly file?: string;
  readonly askSudoPassword?: boolean;
  readonly output?: string;
}

interface RunOptions extends SiteOptions {
  readonly node?: string;
  readonly for?: number;
  readonly wait?: number;
  readonly rate: number;
  readonly dryRun?: boolean;
  readonly acceptUnsafe?: readonly string[];
  readonly html?: string;
  readonly junit?: string;
}

interface ShowOptions extends SiteOptions {
  readonly html?: string;
  readonly junit?: string;
}

/** `hairpin drill`: breaks a running cluster on purpose and measures what its clients notice. */
export function drillCommand(): Command {
  const command = new Command('drill').description(
    'break one thing on purpose, heal it, and measure what clients noticed',
  );
  for (const child of [listCommand(), runDrillCommand(), drillMatrixCommand(), showCommand(), healCommand()]) {
    command.addCommand(child);
  }
  return command;
}

function listCommand(): Command {
  return new Command('list')
    .description('the drills; with a lab, which of them it can do')
    .addOption(labOption())
    .addOption(clusterOption())
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin drill list --lab lab\n')
    .action((options: SiteOptions) =>
      runCommand(options, async (cx) => {
        const named = options.lab !== undefined || options.file !== undefined;
        await using site = named ? await openSite(options, cx) : undefined;
        const drills = listDrills(site);
        const widest = Math.max(...drills.map(({ name }) => name.length));
        cx.print({ drills }, () =>
          drills
            .map(
              ({ name, summary, unavailable }) =>
                `  ${name.padEnd(widest)}  ${summary}${unavailable === undefined ? '' : ` (not here: ${unavailable})`}`,
            )
            .join('\n'),
        );
        return undefined;
      }),
    );
}

function runDrillCommand(): Command {
  return new Command('run')
    .description('run drills one after the other; exit code 2 when one is over its budget, 1 when it proved nothing')
    .argument('<name...>', 'see `hairpin drill list`')
    .addOption(labOption())
    .addOption(clusterOption())
    .addOption(sudoOption())
    .option('--node <name>', 'break this node instead of the usual one')
    .option('--for <time>', 'for how long it stays broken, as 20s', duration)
    .option(
      '--wait <time>',
      'wait at most so long until the cluster is healthy, as 2m; without it nobody waits',
      duration,
    )
    .option('--rate <n>', 'new TLS connections a second from each kind of client', rate, 50)
    .option('--dry-run', 'say what would be done to which node, and break nothing')
    .addOption(new Option('--accept-unsafe <what...>', 'break it although this is lost').choices(['quorum-loss']))
    .option('--html <file>', 'write a page with the timeline')
    .option('--junit <file>', 'write the verdict for a CI system')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin drill run apiserver-frozen --lab lab --for 20s --html drill.html\n')
    .action((names: string[], options: RunOptions) =>
      runCommand(options, async (cx) => {
        await using site = await openSite(options, cx);
        const request = {
          site,
          names,
          node: options.node,
          forMs: options.for,
          acceptQuorumLoss: options.acceptUnsafe?.includes('quorum-loss') === true,
        };
        if (options.dryRun === true) {
          const acts = planDrills(request).flatMap(({ scenario, acts, forMs }) =>
            acts.map(({ fault, target, afterMs }) => ({
              drill: scenario.name,
              fault: fault.name,
              target,
              afterMs,
              forMs: forMs - afterMs,
              would: fault.would(target),
            })),
          );
          cx.print({ acts }, () =>
            [
              ...acts.flatMap(({ drill, target, afterMs, forMs, would }) => [
                `${drill}: ${target}, ${afterMs === 0 ? '' : `after ${afterMs / 1000} s, `}for ${forMs / 1000} s`,
                ...would.map((line) => `  ${line}`),
              ]),
              'Nothing was broken.',
            ].join('\n'),
          );
          return undefined;
        }
        const results = await runDrills(
          {
            ...request,
            perSecond: options.rate,
            healthyWithinMs: options.wait,
            emit: cx.emit,
            signal: cx.signal,
          },
          (result) => {
            if (!cx.json) cx.print(undefined, () => tableOf(result, cx));
          },
        );
        for (const result of results) await writeReports(result, options, results.length > 1);
        if (cx.json) cx.print({ drills: results.map(asJson) }, () => '');
        return codeOf(results);
      }),
    );
}

function showCommand(): Command {
  return new Command('show')
    .description('what a drill that was run means, judged again')
    .argument('[id]', 'its id or the beginning of it', 'last')
    .addOption(labOption())
    .addOption(clusterOption())
    .addOption(sudoOption())
    .option('--html <file>', 'write a page with the timeline')
    .option('--junit <file>', 'write the verdict for a CI system')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin drill show last --lab lab --html drill.html\n')
    .action((id: string, options: ShowOptions) =>
      runCommand(options, async (cx) => {
        await using site = await openSite(options, cx, { quick: true });
        const result = await showDrill(site.directory, id);
        await writeReports(result, options, false);
        cx.print(asJson(result), () => tableOf(result, cx));
        return undefined;
      }),
    );
}

function healCommand(): Command {
  return new Command('heal')
    .description('heal what a drill that was killed has left broken; `drill run` does so first as well')
    .addOption(labOption())
    .addOption(clusterOption())
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin drill heal --lab lab\n')
    .action((options: SiteOptions) =>
      runCommand(options, async (cx) => {
        await using site = await openSite(options, cx, { quick: true });
        const healed = await healDrills(site);
        cx.print({ healed }, () => (healed.length === 0 ? 'nothing is broken' : `healed: ${healed.join(', ')}`));
        return undefined;
      }),
    );
}

async function openSite(
  options: SiteOptions,
  cx: CommandContext,
  opts: { readonly quick?: boolean } = {},
): Promise<DrillSite> {
  const { emit, signal } = cx;
  if (options.lab !== undefined) {
    if (options.file === undefined) return await labSite(await openLab(options.lab, { emit, signal }), opts);
    throw new OperatorError('USAGE', 'Either --lab or --file, not both');
  }
  const sudo = await sudoPassword({ file: '', ...options }, signal);

  return await clusterDrillSite({ file: options.file ?? 'cluster.yaml', emit, signal, ...sudo, ...opts });
}

async function writeReports(
  result: DrillResult,
  files: { readonly html?: string; readonly junit?: string },
  several: boolean,
): Promise<void> {
  // One file a drill, where several were run.
  const name = (file: string) => (several ? file.replace(/(\.\w+)?$/, `-${result.header.scenario}$1`) : file);
  if (files.html !== undefined) await writeFile(name(files.html), drillReports.html(result, result.judgement));
  if (files.junit !== undefined) await writeFile(name(files.junit), drillReports.junit(result, result.judgement));
}

function tableOf(result: DrillResult, cx: CommandContext): string {
  return drillReports.table(result, result.judgement, { color: cx.color, width: process.stdout.columns ?? 120 });
}

function asJson({ header, judgement }: DrillResult) {
  return { ...header, ...judgement };
}

function codeOf(results: readonly DrillResult[]): number {
  const verdicts = results.map(({ judgement }) => judgement.verdict.is);
  if (verdicts.includes('bad-experiment')) return exitCodes.failed;
  return verdicts.includes('over-budget') ? exitCodes.changes : exitCodes.ok;
}

function labOption(): Option {
  return new Option('--lab <name>', 'the lab to drill');
}

function clusterOption(): Option {
  return new Option('-f, --file <cluster.yaml>', 'the cluster to drill, by ssh (default: cluster.yaml)');
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1000) throw new InvalidArgumentError('a time of at least 1s, as 20s or 2m');
  return ms;
}

function rate(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > 500) throw new InvalidArgumentError('a number from 1 to 500');
  return n;
}
