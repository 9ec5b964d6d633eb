import { paint } from '../../report/color.ts';
import type { Judgement } from '../judge/judge.ts';
import type { SavedDrill } from '../run/store.ts';
import { sparkline, timelineOf } from './timeline.ts';
import {
  connectionsInWords,
  flapsInWords,
  keptInWords,
  operationsInWords,
  timeInWords,
  verdictInWords,
  watchesInWords,
} from './words.ts';

/** The table of a drill for a terminal that is `width` columns wide; long cells are cut, never wrapped. */
export function drillTable(
  { header, history }: SavedDrill,
  judged: Judgement,
  opts: { readonly color: boolean; readonly width: number },
): string {
  const { green, red, yellow, dim } = paint(opts.color);
  const { window } = judged;
  const bins = opts.width >= 110 ? 30 : 14;
  const rows = judged.clients.map((client) => [
    client.client,
    window === undefined ? '' : sparkline(timelineOf(history, client.client, window, bins)),
    connectionsInWords(client),
    watchesInWords(client),
  ]);
  const head = ['client', 'failed over time', 'new connections', 'watches'];
  const widths = head.map((text, i) =>
    Math.max(...[text, ...rows.map((row) => row[i] ?? '')].map((cell) => cell.length)),
  );
  const line = (cells: readonly string[]) =>
    cut(`  ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd(), opts.width);
  const { verdict } = judged;
  const painter = verdict.is === 'within-budget' ? green : verdict.is === 'over-budget' ? red : yellow;
  const reasons =
    verdict.is === 'over-budget' ? verdict.breaches : verdict.is === 'bad-experiment' ? verdict.reasons : [];
  const span = window === undefined ? '' : `, ${timeInWords(window.endAt - window.beginAt)} in all`;
  return [
    `${header.scenario} on ${header.site} (${header.strategy}): ${header.broke.join(', then ')}${span}`,
    '',
    dim(line(head)),
    ...rows.map(line),
    '',
    `  ${operationsInWords(judged.operations)}`,
    ...[keptInWords(judged.clients), flapsInWords(judged.flaps)].flatMap((line) =>
      line === undefined ? [] : [cut(`  ${line}`, opts.width)],
    ),
    ...judged.holders.map((h) => `  ${h.address}: ${h.moves} moves, on two nodes for ${timeInWords(h.doubleMs)}`),
    ...(header.clockErrorMs > 1 ? [yellow(`  times may be ${header.clockErrorMs.toFixed(1)} ms off`)] : []),
    ...(header.lost === undefined ? [] : [dim(`  went down with their node: ${header.lost.join(', ')}`)]),
    ...(header.cutShort === undefined ? [] : [yellow(`  ${header.cutShort}`)]),
    painter(`verdict: ${verdictInWords(verdict)}`),
    ...reasons.map((reason) => `  ${reason}`),
    dim(`  ${header.id}   hairpin drill show ${header.id} --html drill.html`),
  ].join('\n');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
