import type { Cause } from './cause.ts';

/** What `hairpin doctor explain CAUSE` prints. */
export function explainCause(cause: Cause): string {
  const lines = [
    `${cause.id}: ${cause.title}`,
    '',
    cause.explanation,
    '',
    `do     ${cause.run}`,
    `seen   ${seenBy(cause)}`,
  ];
  if (cause.signs.length === 0) return lines.join('\n');
  return [
    ...lines,
    '',
    'lines that speak for it:',
    ...cause.signs.flatMap((sign) => [
      `  ${sign.confidence}${sign.in === undefined ? '' : `, ${sign.in.join(', ')}`} (${sign.seenIn})`,
      `    ${sign.example.trim()}`,
    ]),
  ].join('\n');
}

function seenBy({ needs }: Cause): string {
  return needs.map((one) => words[one]).join(', ');
}

const words: Readonly<Record<Cause['needs'][number], string>> = {
  facts: 'facts of the nodes',
  dials: 'tries to connect from every node',
  look: 'files and rules on the nodes',
  checks: 'checks',
  logs: 'logs',
};

const producedWords: Readonly<Record<Cause['produced'], string>> = {
  real: 'yes',
  scenario: 'rehearsal not run',
  recorded: 'no',
};

/** docs/doctor.md, from the causes themselves. */
export function causeReference(causes: readonly Cause[]): string {
  return [
    '# What the doctor knows',
    '',
    'Generated from src/doctor/causes. `hairpin doctor` looks at the nodes of a cluster, `hairpin doctor --log FILE…` at files',
    '(logs, folders of them, support bundles); `hairpin doctor explain CAUSE` prints what is below. Of two causes that are',
    'equally sure the one further up is named first.',
    '',
    'Last column: whether real programs that failed so were named by it (test/wire/doctor-*.test.ts, captured runs of kubeadm), a',
    'rehearsal on a real cluster is written and was not seen to pass yet (test/long/doctor-causes.test.ts), or only facts that were',
    'written by hand. Live judgements of all of them are tested on such facts (test/unit/doctor/judges.test.ts).',
    '',
    '| cause | what is wrong | seen in | named for real |',
    '|---|---|---|---|',
    ...causes.map(
      (cause) =>
        `| [\`${cause.id}\`](#${cause.id}) | ${cell(cause.title)} | ${seenBy(cause)} | ${producedWords[cause.produced]} |`,
    ),
    '',
    ...causes.flatMap((cause) => [
      `## ${cause.id}`,
      '',
      `**${cause.title[0]?.toUpperCase()}${cause.title.slice(1)}.** ${cause.explanation}`,
      '',
      `Do: \`${cause.run.replaceAll('`', "'")}\``,
      '',
      ...(cause.signs.length === 0
        ? []
        : [
            '| line | sure | seen in |',
            '|---|---|---|',
            ...cause.signs.map(
              ({ example, confidence, seenIn }) =>
                `| \`${cell(example.trim().replaceAll('`', "'"))}\` | ${confidence} | ${cell(seenIn)} |`,
            ),
            '',
          ]),
    ]),
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
