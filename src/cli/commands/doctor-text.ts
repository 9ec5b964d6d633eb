import { type Diagnosis, type Finding, formatDuration, paint } from '../../index.ts';

interface TextOptions {
  readonly color: boolean;
  readonly width: number;
}

/** Findings as `1  m2: title   certain`, with why, seen and do below each; then what could not be looked at. */
export function doctorText(diagnosis: Diagnosis, looked: string, opts: TextOptions): string {
  const { findings, symptoms, missing } = diagnosis;
  const blocks = findings.map((finding, index) => findingText(finding, index + 1, opts));
  const unexplained =
    symptoms.length === 0
      ? []
      : [
          [
            `No cause that the doctor knows, and ${symptoms.length} check${symptoms.length === 1 ? ' is' : 's are'} not ok:`,
            ...symptoms.map(({ check, saw }) => `   not so: ${check}\n           ${saw}`),
          ].join('\n'),
        ];
  const clean =
    findings.length === 0 && symptoms.length === 0 ? [`Nothing is wrong that the doctor knows of. ${looked}`] : [];
  const notSeen =
    missing.length === 0 ? [] : [['not looked at:', ...missing.map((reason) => `   ${reason}`)].join('\n')];
  return [...blocks, ...unexplained, ...clean, ...notSeen].join('\n');
}

const colors = { certain: 'red', likely: 'yellow', possible: 'dim' } as const;

function findingText(finding: Finding, number: number, { color, width }: TextOptions): string {
  const where = finding.nodes.length === 0 ? '' : `${finding.nodes.join(', ')}: `;
  const title = `${number}  ${where}${finding.title}`;
  const gap = ' '.repeat(Math.max(3, width - title.length - finding.confidence.length));
  const sure = paint(color)[colors[finding.confidence]];
  const margin = '   ';
  const row = (key: string, text: string) => `${margin}${key.padEnd(7)}${text}`;
  const seen = finding.seen.map(({ where: place, text }, index) =>
    row(index === 0 ? 'seen' : '', shortened(`${place}: ${text}`, Math.max(60, width - 10))),
  );
  return [
    `${title}${gap}${sure(finding.confidence)}`,
    row('why', finding.why),
    ...seen,
    row('do', `${finding.run}`),
    row('', `explain: hairpin doctor explain ${finding.cause}`),
  ].join('\n');
}

/** Whole lines up to three rows of the terminal; what matters of a longer one stands at both of its ends. */
function shortened(text: string, width: number): string {
  if (text.length <= width * 3) return text;
  const half = Math.floor(width * 1.5) - 2;
  return `${text.slice(0, half)} … ${text.slice(-half)}`;
}

export function lookedText({
  seen,
  of,
  ms,
}: {
  readonly seen: number;
  readonly of: number;
  readonly ms: number;
}): string {
  return `${seen} of ${of} nodes were looked at in ${formatDuration(ms)}.`;
}
