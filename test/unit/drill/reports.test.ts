import { expect, test } from 'vitest';
import type { DrillRecord } from '../../../src/drill/history/record.ts';
import { judge } from '../../../src/drill/judge/judge.ts';
import { drillHtml } from '../../../src/drill/report/html.ts';
import { drillJunit } from '../../../src/drill/report/junit.ts';
import { drillTable } from '../../../src/drill/report/terminal.ts';
import type { SavedDrill } from '../../../src/drill/run/store.ts';
import { engine, marks, steadily } from '../../support/history.ts';

const history: readonly DrillRecord[] = [
  ...marks,
  ...steadily('m1', 100, (at) => (at >= 1000 && at < 3000 ? { outcome: { is: 'refused' } } : {})),
  ...steadily('outside <&>', 100),
  engine('m1', 100),
  engine('outside <&>', 100),
];

const drill: SavedDrill = {
  header: {
    is: 'drill',
    id: '2026-11-27T12-00-00-apiserver-frozen',
    scenario: 'apiserver-frozen',
    summary: 'one apiserver hangs',
    site: 'lab a',
    strategy: 'steer',
    broke: ['apiserver-frozen m1'],
    startedAt: '2026-11-27T12:00:00.000Z',
    budget: { clients: { '*': { failed: 0, outageMs: 500 } } },
    watched: 'every',
    clockErrorMs: 0,
  },
  history,
};
const judged = judge(history, { budget: drill.header.budget, watched: 'every' });

test('the table of a terminal is aligned, and cut where it is narrow', () => {
  expect(drillTable(drill, judged, { color: false, width: 120 })).toBe(`\
apiserver-frozen on lab a (steer): apiserver-frozen m1, 10.0 s in all

  client       failed over time                new connections                                   watches
  m1           ▁▁▁██████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  out 2.1 s, 20 of 90 failed, all good after 1.9 s  –
  outside <&>  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  none of 90 failed                                 –

  no writes
verdict: over budget
  m1: 20 failed, budget 0
  m1: 2100 ms outage, budget 500
  2026-11-27T12-00-00-apiserver-frozen   hairpin drill show 2026-11-27T12-00-00-apiserver-frozen --html drill.html`);
  for (const line of drillTable(drill, judged, { color: false, width: 60 }).split('\n').slice(2, 5)) {
    expect(line.length).toBeLessThanOrEqual(60);
  }
});

test("JUnit's XML has a case a client and one for the rest, and escapes what it is given", () => {
  expect(drillJunit(drill, judged)).toBe(`\
<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="apiserver-frozen" tests="3" failures="1" errors="0" time="10.000" timestamp="2026-11-27T12:00:00.000Z">
  <testcase classname="lab a.apiserver-frozen" name="m1" time="10.000">
    <failure message="m1: 20 failed, budget 0"/>
    <failure message="m1: 2100 ms outage, budget 500"/>
    <system-out>out 2.1 s, 20 of 90 failed, all good after 1.9 s</system-out>
  </testcase>
  <testcase classname="lab a.apiserver-frozen" name="outside &lt;&amp;&gt;" time="10.000">
    <system-out>none of 90 failed</system-out>
  </testcase>
  <testcase classname="lab a.apiserver-frozen" name="writes, leases and addresses" time="10.000">
    <system-out>no writes</system-out>
  </testcase>
</testsuite>
`);
});

test('a bad experiment is an error of every case, not a failure', () => {
  const bad = judge(marks, { budget: drill.header.budget, watched: 'every' });
  const none = judge(
    [...history].filter((r) => r.is !== 'engine'),
    { budget: drill.header.budget, watched: 'every' },
  );
  expect(bad.verdict).toEqual({ is: 'bad-experiment', reasons: ['no client said anything'] });
  const xml = drillJunit(drill, none);
  expect([xml.match(/<error /g)?.length, xml.match(/<failure /g)]).toEqual([3, null]);
});

test('the page fetches nothing, draws every client and escapes what it is given', () => {
  const page = drillHtml(drill, judged);
  expect(page).not.toMatch(/<script|<link|src=|url\(/);
  expect(page).not.toContain('outside <&>');
  expect(page.match(/outside &lt;&amp;&gt;/g)?.length).toBe(2);
  expect(page).toContain('<strong class="over-budget">over budget</strong>');
  // 20 failed connections of 100 ms: a fifth of 160 slices, as far as a slice has a connection.
  expect(page.match(/fill="var\(--bad\)"\/>/g)?.length).toBe(20);
});
