import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Cell, exitCodes, formatDuration, listMatrix, runDrillMatrix, writeAvailability } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

interface MatrixOptions {
  readonly tier: 'wire';
  readonly only: readonly string[];
  readonly full?: boolean;
  readonly again?: boolean;
  readonly list?: boolean;
  readonly to?: string;
  readonly parallel?: number;
  readonly rate: number;
  readonly output?: string;
}

/** `hairpin drill matrix`: every strategy against every fault, and who noticed. */
export function drillMatrixCommand(): Command {
  return new Command('matrix')
    .description('run every strategy × fault in labs of its own and say who noticed what; goes on where it was stopped')
    .addOption(new Option('--tier <tier>', 'what plays the nodes').choices(['wire']).default('wire'))
    .option('--only <cells...>', 'STRATEGY[@BALANCER][,FAULT], `*` for any; several may be given', [])
    .option('--full', 'every fault behind every balancer, which takes hours')
    .option('--again', 'make cells again that are there')
    .option('--list', 'say what would be run and what is there, and run nothing (with --to: draw it)')
    .option('--to <directory>', 'write availability.md, .json and .svg of all cells that are there')
    .option('--parallel <n>', 'labs at once; one for each processor unless said', between(1, 16))
    .option('--rate <n>', 'new TLS connections a second from each kind of client', between(1, 500), 6)
    .addOption(outputOption())
    .addHelpText(
      'after',
      "\nExample:\n  hairpin drill matrix --only steer@alibaba-clb 'hosts@*,apiserver-killed' --to docs\n",
    )
    .action((options: MatrixOptions) =>
      runCommand(options, async (cx) => {
        const request = { only: options.only, full: options.full === true };
        const draw = async () => (options.to === undefined ? [] : await writeAvailability(options.to));
        if (options.list === true) {
          const files = await draw();
          cx.print(...listed(await listMatrix(request), files));
          return undefined;
        }
        const run = runDrillMatrix(
          {
            ...request,
            again: options.again === true,
            // More of them and clients start late: seven on two processors gave nothing but bad experiments.
            parallel: options.parallel ?? availableParallelism(),
            perSecond: options.rate,
            emit: cx.emit,
            signal: cx.signal,
          },
          (cell, { done, of, leftMs }) => {
            const left = leftMs === 0 ? '' : `, about ${formatDuration(Math.round(leftMs / 1000) * 1000)} left`;
            cx.emit({ kind: 'note', text: `${done} of ${of}${left}   ${cellInWords(cell)}` });
          },
        );
        // A part is a report, too: whoever stops it sees what there is.
        const cells = await run.catch(async (error: unknown) => {
          await draw();
          throw error;
        });
        const files = await draw();
        const bad = cells.filter((cell) => cell.is === 'bad');
        cx.print({ cells, files }, () =>
          [
            ...cells.map(cellInWords),
            ...files.map((file) => `wrote ${file}`),
            ...(bad.length === 0 ? [] : [`${bad.length} cells are bad experiments; the same command tries them again`]),
          ].join('\n'),
        );
        return bad.length === 0 ? undefined : exitCodes.failed;
      }),
    );
}

function listed(
  { groups, cells, done }: Awaited<ReturnType<typeof listMatrix>>,
  files: readonly string[],
): [unknown, () => string] {
  const is = (variant: string, preset: string, fault: string) =>
    done.find((cell) => cell.variant === variant && cell.preset === preset && cell.fault === fault)?.is ?? 'missing';
  const rows = groups.flatMap(({ variant, preset, faults }) =>
    faults.map(({ name, forMs }) => ({
      strategy: variant.name,
      balancer: preset,
      fault: name,
      forMs,
      is: is(variant.name, preset, name),
    })),
  );
  return [
    { cells: rows, ...(files.length === 0 ? {} : { files }) },
    () =>
      [
        ...rows.map(
          ({ strategy, balancer, fault, forMs, is: state }) =>
            `  ${`${strategy}@${balancer},${fault}`.padEnd(52)} ${`${forMs / 1000} s`.padStart(7)}  ${state}`,
        ),
        `${cells} cells in ${groups.length} labs.`,
        ...files.map((file) => `wrote ${file}`),
      ].join('\n'),
  ];
}

/** `hosts@alibaba-clb,apiserver-killed: own until healed, outside 4.1 s`. */
function cellInWords(cell: Cell): string {
  const name = `${cell.variant}@${cell.preset},${cell.fault}`;
  if (cell.is !== 'measured') return `${name}: ${cell.is} (${cell.reasons.join('; ')})`;
  const noticed = cell.clients.flatMap(({ client, failed, attempts, allGoodAfterMs, failsAnyway }) => {
    if (failed === 0) return [];
    if (failsAnyway > 0) return [`${client} fails anyway`];
    const until = allGoodAfterMs === 'until-healed' ? 'until healed' : formatDuration(allGoodAfterMs);
    return [`${client} ${until} (${failed} of ${attempts})`];
  });
  return `${name}: ${noticed.length === 0 ? 'nobody noticed' : noticed.join(', ')}`;
}

function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!Number.isInteger(n) || n < least || n > most)
      throw new InvalidArgumentError(`a number from ${least} to ${most}`);
    return n;
  };
}
