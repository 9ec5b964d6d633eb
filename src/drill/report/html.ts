import type { DrillRecord, Mark } from '../history/record.ts';
import type { Judgement } from '../judge/judge.ts';
import type { Window } from '../judge/window.ts';
import type { SavedDrill } from '../run/store.ts';
import { timelineOf } from './timeline.ts';
import {
  connectionsInWords,
  flapsInWords,
  keptInWords,
  operationsInWords,
  timeInWords,
  verdictInWords,
  watchesInWords,
} from './words.ts';

/** One page with everything in it and nothing fetched: the timeline drawn, the numbers, what was done and when. */
export function drillHtml(drill: SavedDrill, judged: Judgement): string {
  const { header, history } = drill;
  const { verdict, window } = judged;
  const reasons =
    verdict.is === 'over-budget' ? verdict.breaches : verdict.is === 'bad-experiment' ? verdict.reasons : [];
  const rows = judged.clients.map(
    (client) =>
      `<tr><th>${html(client.client)}</th><td>${html(connectionsInWords(client))}</td><td>${html(watchesInWords(client))}</td></tr>`,
  );
  const marks = history.filter((record): record is Mark => record.is === 'mark');
  const said = marks.map(
    (mark) =>
      `<tr><td class="n">${window === undefined ? '' : ((mark.at - window.faultAt) / 1000).toFixed(3)} s</td><td>${html(mark.what)}</td><td>${html(mark.text)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${html(`${header.scenario} on ${header.site}`)}</title>
<style>
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --faint: #8c959f; --bad: #cf222e; --slow: #bf8700; --good: #2da44e; --band: #cf222e22; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #8b949e; --bad: #f85149; --slow: #d29922; --good: #3fb950; --band: #f8514933; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; } .within-budget { color: var(--good); } .over-budget { color: var(--bad); } .bad-experiment { color: var(--slow); }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
</style></head><body>
<h1>${html(header.scenario)}: ${html(header.broke.join(', then '))}</h1>
<p>${html(header.summary)}. ${html(header.site)}, ${html(header.strategy)}, ${html(header.startedAt)}, drill <code>${html(header.id)}</code>.</p>
<p>Verdict: <strong class="${verdict.is}">${html(verdictInWords(verdict))}</strong>${header.cutShort === undefined ? '' : ` (${html(header.cutShort)})`}</p>
${reasons.length === 0 ? '' : `<ul>${reasons.map((reason) => `<li>${html(reason)}</li>`).join('')}</ul>`}
<h2>Timeline</h2>
${window === undefined ? '<p>The fault was never in force.</p>' : timeline(history, judged, window, marks)}
<h2>Clients</h2>
<table><tr><th>client</th><th>new connections</th><th>watches</th></tr>${rows.join('\n')}</table>
<p>${html([operationsInWords(judged.operations), keptInWords(judged.clients), flapsInWords(judged.flaps)].flatMap((line) => line ?? []).join('. '))}. Times are on one monotonic clock${header.clockErrorMs > 0 ? `, at most ${header.clockErrorMs.toFixed(1)} ms off` : ''}.</p>
<h2>What was done</h2>
<table><tr><th>since the fault</th><th>what</th><th></th></tr>${said.join('\n')}</table>
</body></html>
`;
}

/** A lane a client: green good, yellow slow, red failed (height: share of what was due), and its watch streams below. */
function timeline(history: readonly DrillRecord[], judged: Judgement, window: Window, marks: readonly Mark[]): string {
  const left = 110;
  const width = 800;
  const lane = 46;
  const span = window.endAt - window.beginAt;
  const x = (at: number) =>
    left + (Math.min(Math.max(at, window.beginAt), window.endAt) - window.beginAt) * (width / span);
  const bins = 160;
  const lanes = judged.clients.map(({ client }, i) => {
    const top = 34 + i * lane;
    const slices = timelineOf(history, client, window, bins);
    const bars = slices.map(({ from, due, failed, slowestMs }) => {
      if (due === 0) return '';
      const bad = (failed / due) * 28;
      const fill = slowestMs > 250 ? 'var(--slow)' : 'var(--good)';
      const wide = (width / bins).toFixed(2);
      const at = x(from).toFixed(2);
      const good = `<rect x="${at}" y="${top}" width="${wide}" height="28" fill="${fill}" opacity=".55"/>`;
      return failed === 0
        ? good
        : `${good}<rect x="${at}" y="${(top + 28 - bad).toFixed(2)}" width="${wide}" height="${bad.toFixed(2)}" fill="var(--bad)"/>`;
    });
    const ends = history.flatMap((record) =>
      record.is === 'watch-ended' && record.client === client && record.how !== 'stopped'
        ? [
            `<circle cx="${x(record.at).toFixed(1)}" cy="${top + 34}" r="3" fill="var(--bad)"><title>watch ${html(record.how)}</title></circle>`,
          ]
        : [],
    );
    return `<text x="${left - 8}" y="${top + 18}" text-anchor="end">${html(client)}</text>${bars.join('')}${ends.join('')}`;
  });
  const bottom = 34 + judged.clients.length * lane;
  const from = x(window.injectAt);
  const to = x(marks.findLast((mark) => mark.what === 'healed')?.at ?? window.endAt);
  const labels = marks
    .filter((mark) => mark.what === 'fault' || mark.what === 'heal')
    .map(
      (mark, i) =>
        `<line x1="${x(mark.at).toFixed(1)}" x2="${x(mark.at).toFixed(1)}" y1="20" y2="${bottom}" stroke="var(--bad)" stroke-dasharray="3 3"/><text x="${(x(mark.at) + 3).toFixed(1)}" y="${i % 2 === 0 ? 14 : 28}">${html(mark.what === 'fault' ? mark.text : 'healed')}</text>`,
    );
  const notes = marks
    .filter((mark) => mark.what === 'note')
    .map(
      (mark) =>
        `<path d="M${x(mark.at).toFixed(1)} ${bottom - 4}l-4 8h8z" fill="var(--ink)"><title>${html(mark.text)}</title></path>`,
    );
  const seconds = Math.ceil(span / 1000);
  const step = seconds > 40 ? 10 : 2;
  const ticks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => {
    const at = window.beginAt + i * step * 1000;
    return `<text x="${x(at).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${i * step} s</text>`;
  });
  return `<svg viewBox="0 0 ${left + width + 20} ${bottom + 24}" role="img" aria-label="what each client saw over ${timeInWords(span)}">
<rect x="${from.toFixed(1)}" y="20" width="${Math.max(1, to - from).toFixed(1)}" height="${bottom - 20}" fill="var(--band)"/>
${lanes.join('\n')}
${labels.join('\n')}
${notes.join('')}
${ticks.join('')}
</svg>
<p>Green: good. Yellow: good and slower than 250 ms. Red: the share that failed. Dots: a watch that ended. Triangles: what else was seen, as listed below.</p>`;
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
