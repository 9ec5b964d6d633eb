import { formatHostPort } from '../../std/address.ts';
import type { NodeVerdict, Problem } from './classify.ts';
import { meaningOf } from './meaning.ts';
import type { ProbeReport } from './run-probe.ts';

export interface DescribeOptions {
  /** Width of the terminal: the last column of the table is cut there. */
  readonly columns: number;
  readonly paint: { readonly green: Painter; readonly red: Painter; readonly yellow: Painter };
}

type Painter = (text: string) => string;

/** What a person reads of a probe: the table, what it means, what is wrong, what to do. */
export function describeProbe(report: ProbeReport, opts: DescribeOptions): string {
  const { observation, verdict } = report;
  const { endpoint } = observation;
  const masters = observation.clients.filter((client) => client.role === 'control-plane').length;
  const workers = observation.clients.length - masters;
  const tries = Math.max(0, ...verdict.nodes.map((node) => node.tries));
  const dialled =
    endpoint.domain === undefined ? '' : ` → ${observation.dialled.map((a) => a.text).join(', ') || 'nothing'}`;
  const counts = [
    `${masters} master${masters === 1 ? '' : 's'}`,
    ...(workers === 0 ? [] : [`${workers} worker${workers === 1 ? '' : 's'}`]),
    `${tries} tries each`,
    ...(observation.served === 'listener' && observation.dialled.length > 0 ? ['throw-away listeners served'] : []),
  ];
  return [
    `endpoint ${formatHostPort(endpoint.host, endpoint.port)}${dialled}   ${counts.join(' · ')}`,
    '',
    ...table(verdict.nodes, opts),
    '',
    ...conclusion(report, masters),
    ...verdict.problems.flatMap((problem) => describeProblem(problem, opts)),
  ].join('\n');
}

function table(nodes: readonly NodeVerdict[], { columns, paint }: DescribeOptions): string[] {
  const rows = nodes.map((node, i) => [
    node.node,
    node.class,
    node.tries === 0 ? '–' : `${node.answered} of ${node.tries}`,
    sameAsAbove(nodes, i) ?? node.text,
  ]);
  const head = ['node', 'class', 'answered', 'what happened'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const before = widths.slice(0, 3).reduce((sum, width) => sum + width + 3, 2);
  const line = (row: readonly string[], color: Painter) => {
    const [name = '', kind = '', answered = '', text = ''] = row;
    const room = Math.max(20, columns - before);
    const shown = text.length > room ? `${text.slice(0, room - 1)}…` : text;
    const cells = [
      name.padEnd(widths[0] ?? 0),
      color(kind.padEnd(widths[1] ?? 0)),
      answered.padEnd(widths[2] ?? 0),
      shown,
    ];
    return `  ${cells.join('   ')}`.trimEnd();
  };
  return [line(head, (text) => text), ...rows.map((row, i) => line(row, colorOf(nodes[i]?.class, paint)))];
}

/** `the same, 9` where only names and numbers differ from the row above. */
function sameAsAbove(nodes: readonly NodeVerdict[], index: number): string | undefined {
  const node = nodes[index];
  const above = nodes[index - 1];
  if (node === undefined || above === undefined || node.class !== above.class) return undefined;
  const without = (one: NodeVerdict) => one.text.replaceAll(one.node, 'NODE').replaceAll(/\d+/g, 'N');
  if (without(node) !== without(above)) return undefined;
  const count = /^\d+/.exec(node.text)?.[0];
  return count === undefined ? 'the same' : `the same, ${count}`;
}

function colorOf(kind: NodeVerdict['class'] | undefined, paint: DescribeOptions['paint']): Painter {
  if (kind === 'works') return paint.green;
  return kind === 'drop' ||
    kind === 'drop-in-fabric' ||
    kind === 'one-arm' ||
    kind === 'foreign' ||
    kind === 'unreachable'
    ? paint.red
    : paint.yellow;
}

function conclusion({ observation, verdict }: ProbeReport, masters: number): string[] {
  if (verdict.behaviour === undefined) {
    return ['What the balancer does with its own backends could not be determined.', ''];
  }
  const serving = observation.backends.filter((backend) => backend.listening).length;
  const { meaning, effect, advice } = meaningOf(
    verdict.behaviour,
    serving || masters,
    observation.endpoint.domain !== undefined,
  );
  return [meaning, ...(effect === undefined ? [] : [effect]), `→ ${advice}`, ''];
}

function describeProblem(problem: Problem, { paint }: DescribeOptions): string[] {
  return [
    `${paint.yellow('!')} ${problem.text}   ${problem.code}`,
    ...(problem.hint === undefined ? [] : [`  hint: ${problem.hint}`]),
    '',
  ];
}
