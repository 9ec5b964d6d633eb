import { type Cell, commandOf } from '../cell.ts';
import { patienceMs } from '../predict.ts';
import { type ClientClass, classTitles, clientClasses, type VariantName, variants } from '../variants.ts';
import { behindOn, isComparable } from './behind.ts';
import { type Section, scoreOf } from './table.ts';
import { entryInWords, predictionInWords, shortTime } from './words.ts';

export interface AvailabilityText {
  readonly cells: readonly Cell[];
  readonly sections: readonly Section[];
  /** What it was run on, in words. */
  readonly machine: string;
  /** Cells of the whole matrix; what is missing was not run yet. */
  readonly planned: number;
}

/** Pure: docs/availability.md. */
export function availabilityMarkdown({ cells, sections, machine, planned }: AvailabilityText): string {
  const tiers = [...new Set(cells.map((cell) => cell.tier))];
  const dates = cells.map((cell) => cell.startedAt.slice(0, 10)).toSorted();
  const rates = [...new Set(cells.map((cell) => cell.perSecond))];
  const measured = cells.filter((cell) => cell.is === 'measured').length;
  const refused = cells.filter(({ is }) => is === 'refused').length;
  const tierWords = tiers.includes('node')
    ? 'real Kubernetes nodes (tier node)'
    : 'stand-ins for the apiservers (tier wire): haproxy, keepalived, nftables and the agent are real, Kubernetes is not';
  return `${[
    '# Availability',
    '',
    `Which strategy gives high availability, for whom, against what: measured with ${tierWords}.`,
    `Made by \`hairpin drill matrix --tier ${tiers[0] ?? 'wire'} --to docs\` on ${machine}, ${dates[0] ?? ''}${dates[0] === dates.at(-1) ? '' : ` to ${dates.at(-1)}`}:`,
    `${measured} of ${planned} cells${refused === 0 ? '' : `, and ${refused} that \`plan\` refuses`}, ${rates.join(', ')} new TLS connections a second and client, ${patienceMs / 1000} s of patience each.`,
    '',
    ...(measured + refused >= planned
      ? []
      : [
          '**This is a part of the matrix.** What is not here was not measured, or was spoiled by a busy machine; the command goes on.',
          '',
        ]),
    '![](availability.svg)',
    '',
    '## The answer',
    '',
    'The worst that each kind of client saw, over all faults of apiservers, nodes and the balancer (not of the strategies’ own',
    'programs): how long until nothing failed any more, and in which fault.',
    '',
    ...summary(sections),
    '',
    ...answers(sections),
    '',
    '## How to read the tables',
    '',
    'A cell is how long after the fault the last failed connection ended, and how many failed: `0` means that none did; `until',
    'healed` that they failed as long as the fault lasted. `fails anyway`: connections fail with nothing broken at all. Behind it,',
    'after a slash, is the prediction from intervals and thresholds (`src/drill/matrix/predict.ts`); every cell’s numbers, its',
    'prediction and the command that makes it again are in [availability.json](availability.json).',
    '',
    'Clients: `own` is on the master that is broken, `own-pod` a pod on it, `own-stale-pod` a hostNetwork or static pod that has',
    '/etc/hosts from before the change, `other` is another master. With `node-silent` nobody asks the clients that are cut off.',
    'For `keepalived-vip` and `all-master-vip` the broken master is the one that outside clients reach.',
    '',
    ...strategies(),
    ...sections.flatMap((section) => sectionText(section)),
    ...behindText(sections),
    ...badText(cells),
  ].join('\n')}\n`;
}

function strategies(): readonly string[] {
  return ['| strategy | is |', '|---|---|', ...variants.map(({ name, title }) => `| \`${name}\` | ${title} |`), ''];
}

/** Faults of the cluster, not of a strategy's own programs; those say what a strategy adds that can break. */
function isClusterFault(fault: string): boolean {
  return fault !== 'nothing' && !/^(?:agent|haproxy|keepalived)-/.test(fault);
}

function summary(sections: readonly Section[]): readonly string[] {
  const [first] = sections;
  if (first === undefined) return ['Nothing was measured.'];
  const classes = clientClasses.filter((client) => first.rows.some((row) => row.client === client));
  const head = ['strategy', ...classes.map((client) => `\`${client}\``)];
  const rows = first.columns.map((variant) => [
    `\`${variant}\``,
    ...classes.map((client) => worstInWords(first, variant, client)),
  ]);
  return [`Behind \`${first.preset}\` (the strategies without a balancer: without one).`, '', ...table(head, rows)];
}

function worstInWords(section: Section, variant: VariantName, client: ClientClass): string {
  const seen = section.rows
    .filter((row) => row.client === client && isClusterFault(row.fault))
    .flatMap((row) => {
      const entry = row.entries.get(variant);
      const ms = scoreOf(entry);
      return ms === undefined || entry?.is !== 'measured'
        ? []
        : [{ ms, fault: row.fault, anyway: entry.seen.failsAnyway > 0 }];
    });
  if (seen.length === 0) return '–';
  if (seen.some(({ anyway }) => anyway)) return 'fails anyway';
  const endless = seen.filter(({ ms }) => ms === Number.POSITIVE_INFINITY);
  if (endless.length > 0) return `**out** in ${endless.map(({ fault }) => fault).join(', ')}`;
  const worst = seen.toSorted((a, b) => b.ms - a.ms)[0];
  return worst === undefined || worst.ms === 0 ? '0' : `${shortTime(worst.ms)} (${worst.fault})`;
}

/** By name, each strategy in a line: who is out as long as the fault lasts, and who waits. */
function answers(sections: readonly Section[]): readonly string[] {
  const [first] = sections;
  if (first === undefined) return [];
  return first.columns.map((variant) => {
    const title = variants.find(({ name }) => name === variant)?.title ?? '';
    const anyway = clientClasses.filter((client) => worstInWords(first, variant, client) === 'fails anyway');
    const out = clientClasses.flatMap((client) => {
      const faults = first.rows
        .filter((row) => row.client === client && isClusterFault(row.fault) && !anyway.includes(client))
        .filter((row) => scoreOf(row.entries.get(variant)) === Number.POSITIVE_INFINITY)
        .map((row) => row.fault);
      return faults.length === 0 ? [] : [`${classTitles[client]} (${faults.join(', ')})`];
    });
    const own = first.rows
      .filter((row) => !isClusterFault(row.fault) && row.fault !== 'nothing' && !anyway.includes(row.client))
      .filter((row) => scoreOf(row.entries.get(variant)) === Number.POSITIVE_INFINITY)
      .map((row) => `${classTitles[row.client]} (${row.fault})`);
    const faults = faultsMeasured(first, variant);
    if (faults.length === 0) return `- **\`${variant}\`** (${title}): not measured with anything broken.`;
    const asked = faults.length > 3 ? `${faults.length} faults` : faults.join(', ');
    const parts = [
      ...(anyway.length === 0
        ? []
        : [`connections fail with nothing broken for ${anyway.map((client) => classTitles[client]).join(', ')}`]),
      out.length === 0
        ? `in ${asked} nobody else was out until healed`
        : `in ${asked} out until healed: ${out.join('; ')}`,
      ...(own.length === 0 ? [] : [`when a program of its own is gone: ${own.join('; ')}`]),
    ];
    return `- **\`${variant}\`** (${title}): ${parts.join('; ')}.`;
  });
}

/** Nothing is said of faults that nobody tried. */
function faultsMeasured(section: Section, variant: VariantName): readonly string[] {
  const rows = section.rows.filter((row) => isClusterFault(row.fault) && row.entries.get(variant)?.is === 'measured');
  return [...new Set(rows.map((row) => row.fault))];
}

function sectionText(section: Section): readonly string[] {
  const refused = section.columns.flatMap((variant) => {
    const entry = section.rows.flatMap((row) => row.entries.get(variant) ?? [])[0];
    return entry?.is === 'refused'
      ? [`\`${variant}\` is refused by \`plan\` here: ${entry.cell.reasons.join('; ')}.`]
      : [];
  });
  const columns = section.columns.filter(
    (variant) => !section.rows.every((row) => row.entries.get(variant)?.is === 'refused' || !row.entries.has(variant)),
  );
  const faults = [...new Set(section.rows.map((row) => row.fault))];
  return [
    `## Behind ${section.preset}`,
    '',
    ...(refused.length === 0 ? [] : [...refused, '']),
    ...faults.flatMap((fault) => {
      const rows = section.rows.filter((row) => row.fault === fault);
      const shown = columns.filter((variant) => rows.some((row) => row.entries.has(variant)));
      const lines = rows.map((row) => [
        `\`${row.client}\``,
        ...shown.map((variant) => {
          const entry = row.entries.get(variant);
          const text = entryInWords(entry);
          return entry?.is === 'measured' ? `${text} / ${predictionInWords(entry.predicted)}` : text;
        }),
      ]);
      const cell = rows.flatMap((row) => [...row.entries.values()])[0]?.cell;
      const command =
        cell === undefined
          ? []
          : [`\`hairpin drill matrix --tier ${cell.tier} --again --only '*@${section.preset},${fault}'\``, ''];
      return [`### ${fault}`, '', ...command, ...table(['client', ...shown.map((name) => `\`${name}\``)], lines), ''];
    }),
  ];
}

function behindText(sections: readonly Section[]): readonly string[] {
  const rows = sections.flatMap((section) => section.rows).filter(isComparable);
  const behind = behindOn(rows);
  if (rows.length === 0) {
    return [
      '## Where steer is not ahead',
      '',
      'Nothing can be said yet: no row has both steer and another strategy.',
      '',
    ];
  }
  return [
    '## Where steer is not ahead',
    '',
    `On ${rows.length - behind.length} of ${rows.length} rows that have steer and another strategy no other one did better than steer (\`steer-workers\` for workers). The others:`,
    '',
    ...(behind.length === 0 ? ['None.'] : []),
    ...behind.map(
      ({ row, steer, best, steerMs, bestMs, why }) =>
        `- ${row.preset}, ${row.fault}, \`${row.client}\`: \`${steer}\` ${shortTime(steerMs)}, \`${best}\` ${shortTime(bestMs)}. ${why === undefined ? '**Not explained yet.**' : `${why.charAt(0).toUpperCase()}${why.slice(1)}.`}`,
    ),
    '',
  ];
}

function badText(cells: readonly Cell[]): readonly string[] {
  const bad = cells.filter((cell) => cell.is === 'bad');
  if (bad.length === 0) return [];
  return [
    '## Bad experiments',
    '',
    'The machine or the lab was disturbed before anything was broken; these say nothing. Make them again:',
    '',
    ...bad.map((cell) => `- \`${commandOf(cell)}\`: ${cell.reasons.slice(0, 2).join('; ')}`),
    '',
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)];
}
