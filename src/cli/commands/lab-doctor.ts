import { Command, Option } from 'commander';
import { defaults, diagnoseHost, exitCodes, type HostReport, type Tier } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

interface Options {
  readonly tier: Tier;
  readonly kubernetes: string;
  readonly nodes: string;
  readonly output: string;
}

/** `hairpin lab doctor`: whether this machine can run a lab, and what to do where it cannot. Exit code 2 when it cannot. */
export function labDoctorCommand(): Command {
  return new Command('doctor')
    .description('say whether this machine can run a lab, and what to do where it cannot')
    .addOption(new Option('--tier <tier>', 'for which kind of lab').choices(['wire', 'node']).default('node'))
    .option('--kubernetes <version>', 'the version that nodes are to run', defaults.kubernetes)
    .option('--nodes <count>', 'how many masters and workers', String(defaults.masters + defaults.workers))
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab doctor --tier wire')
    .action((opts: Options, command: Command) =>
      runCommand(opts, async (cx) => {
        const nodes = Number(opts.nodes);
        if (!Number.isSafeInteger(nodes) || nodes < 1)
          command.error(`--nodes ${opts.nodes}: expected a number above 0`);
        const report = await diagnoseHost(opts.tier, {
          signal: cx.signal,
          nodes,
          kubernetes: opts.kubernetes,
          features: true,
        });
        cx.print(report, () => doctorText(report, cx.color));
        return report.fit ? exitCodes.ok : exitCodes.changes;
      }),
    );
}

const signs = { ok: '✔', absent: '✘', unmeasured: '?', note: '·' } as const;
const colors = { ok: 32, absent: 31, unmeasured: 33, note: 0 } as const;

export function doctorText(report: HostReport, color = false): string {
  const width = Math.max(...report.findings.map(({ name }) => name.length));
  const lines = report.findings.flatMap(({ name, title, finding }) => {
    const sign = color ? `\x1b[${colors[finding.is]}m${signs[finding.is]}\x1b[0m` : signs[finding.is];
    const line = `${sign} ${name.padEnd(width)}  ${finding.saw}`;
    if (finding.is !== 'absent') return [line];
    const margin = ' '.repeat(width + 4);
    return [line, `${margin}needed: ${title}`, `${margin}do:     ${finding.remedy}`];
  });
  const absent = report.findings.filter(({ finding }) => finding.is === 'absent').length;
  const verdict = report.fit
    ? `This machine can run labs of tier ${report.tier}.`
    : `This machine cannot run labs of tier ${report.tier}: ${absent} of ${report.findings.length} conditions do not hold.`;
  return [...lines, verdict].join('\n');
}
