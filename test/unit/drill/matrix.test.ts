import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Cell, CellClient } from '../../../src/drill/matrix/cell.ts';
import { judgeCell } from '../../../src/drill/matrix/judge-cell.ts';
import { cellsOf, planMatrix } from '../../../src/drill/matrix/plan.ts';
import { predict } from '../../../src/drill/matrix/predict.ts';
import { behindOn } from '../../../src/drill/matrix/report/behind.ts';
import { availabilityJson } from '../../../src/drill/matrix/report/json.ts';
import { availabilityMarkdown } from '../../../src/drill/matrix/report/markdown.ts';
import { availabilitySvg } from '../../../src/drill/matrix/report/svg.ts';
import { sectionsOf } from '../../../src/drill/matrix/report/table.ts';
import { appendCell, readCells } from '../../../src/drill/matrix/store.ts';
import type { VariantName } from '../../../src/drill/matrix/variants.ts';
import { balancerCatalog } from '../../../src/lab/spec/catalog.ts';

const balancerOf = (preset: string) => balancerCatalog().get(preset)?.config;
const faults = [
  'apiserver-killed',
  'apiserver-frozen',
  'node-silent',
  'balancer-down',
  'agent-killed',
  'haproxy-killed',
];

const seen = (
  client: CellClient['client'],
  failed: number,
  until: CellClient['allGoodAfterMs'],
  anyway = 0,
): CellClient => ({
  client,
  attempts: 150,
  failed,
  failures: failed === 0 ? {} : { refused: failed },
  longestOutageMs: failed * 100,
  allGoodAfterMs: until,
  slowestMs: 12,
  watchGapMs: 200,
  stuckStreams: 0,
  failsAnyway: anyway,
});

const cell = (variant: Cell['variant'], preset: string, fault: string, clients: readonly CellClient[]): Cell => ({
  variant,
  preset,
  fault,
  tier: 'wire',
  is: 'measured',
  reasons: [],
  target: 'm1',
  forMs: 8000,
  perSecond: 10,
  startedAt: '2026-11-27T12:00:00.000Z',
  clients,
  acknowledged: 40,
  wrong: [],
});

const cells: readonly Cell[] = [
  cell('direct', 'alibaba-clb', 'nothing', [seen('own', 20, 'until-healed', 0.33), seen('outside', 0, 0)]),
  cell('direct', 'alibaba-clb', 'apiserver-killed', [seen('own', 70, 'until-healed', 0.33), seen('outside', 20, 5900)]),
  cell('hosts', 'alibaba-clb', 'apiserver-killed', [
    seen('own', 80, 'until-healed'),
    seen('own-stale-pod', 50, 'until-healed', 0.33),
    seen('outside', 21, 5800),
  ]),
  cell('steer', 'alibaba-clb', 'apiserver-killed', [seen('own', 0, 0), seen('outside', 19, 6000)]),
  cell('keepalived-haproxy', 'alibaba-clb', 'apiserver-killed', [seen('own', 1, 40), seen('outside', 0, 0)]),
  cell('keepalived-vip', 'none', 'apiserver-killed', [seen('own', 0, 0), seen('outside', 2, 900)]),
  cell('steer', 'alibaba-clb', 'agent-killed', [seen('own', 30, 'until-healed'), seen('outside', 0, 0)]),
  cell('steer', 'aws-nlb', 'apiserver-killed', [seen('own', 0, 0), seen('outside', 200, 61_000)]),
  {
    ...cell('bind-vip', 'aws-nlb', 'apiserver-killed', []),
    is: 'refused',
    reasons: ['its front end is a name with 2 addresses'],
  },
  {
    ...cell('hosts', 'aws-nlb', 'apiserver-killed', []),
    is: 'bad',
    reasons: ['own started 4 of 80 connections more than 50 ms late'],
  },
];
const sections = sectionsOf(cells, balancerOf, faults);

describe('the report of the matrix', () => {
  test('as Markdown', async () => {
    const text = availabilityMarkdown({ cells, sections, machine: 'Linux 6.18, x64, 2 × a core', planned: 10 });
    await expect(text).toMatchFileSnapshot('../../golden/drill/availability.md');
  });

  test('as a picture', async () => {
    await expect(availabilitySvg(sections)).toMatchFileSnapshot('../../golden/drill/availability.svg');
  });

  test('as JSON, each number with its prediction and its command', async () => {
    const text = availabilityJson(cells, 'Linux 6.18, x64, 2 × a core', balancerOf);
    await expect(text).toMatchFileSnapshot('../../golden/drill/availability.json');
    expect(JSON.parse(text)).toMatchObject({
      cells: expect.arrayContaining([
        expect.objectContaining({
          command: 'hairpin drill matrix --tier wire --again --only hosts@alibaba-clb,apiserver-killed',
        }),
      ]),
    });
  });

  test('a row on which another strategy does better says why, or that nobody knows', () => {
    const rows = sections.flatMap((section) => section.rows);
    expect(behindOn(rows).map(({ row, best, why }) => [row.fault, row.client, best, why?.slice(0, 28)])).toEqual([
      ['apiserver-killed', 'outside', 'keepalived-haproxy', 'outside clients are not stee'],
    ]);
    const strange = sectionsOf(
      [
        cell('steer', 'haproxy', 'conntrack-flushed', [seen('own', 9, 2000)]),
        cell('bind-vip', 'haproxy', 'conntrack-flushed', [seen('own', 0, 0)]),
      ],
      balancerOf,
      faults,
    ).flatMap((section) => section.rows);
    expect(behindOn(strange).map(({ why }) => why)).toEqual([undefined]);
  });

  test('chance is called so only where the other strategy may take as long', () => {
    const why = (client: 'outside' | 'own', best: VariantName, steerMs: number) =>
      behindOn(
        sectionsOf(
          [
            cell('steer', 'azure-ilb', 'apiserver-frozen', [seen(client, 9, steerMs)]),
            cell(best, 'azure-ilb', 'apiserver-frozen', [seen(client, 0, 0)]),
          ],
          balancerOf,
          faults,
        ).flatMap((section) => section.rows),
      ).map((behind) => behind.why);
    expect([why('outside', 'hosts', 9000), why('own', 'bind-vip', 2100), why('outside', 'hosts', 60_000)]).toEqual([
      [
        'this client takes the same way with both, and it may take up to 17.0 s; where its connections meet the lost one is chance',
      ],
      ['chance: with `bind-vip` it may take as long as the fault lasts (it knows no other apiserver)'],
      [undefined],
    ]);
  });
});

describe('predictions', () => {
  test.each([
    ['direct', 'alibaba-clb', 'apiserver-killed', 'outside', 6000],
    ['direct', 'alibaba-clb', 'apiserver-killed', 'own', 'until-healed'],
    ['direct', 'alibaba-clb', 'apiserver-frozen', 'outside', 'until-healed'],
    ['direct', 'azure-ilb', 'apiserver-frozen', 'outside', 17_000],
    ['direct', 'aws-nlb', 'node-silent', 'worker', 72_000],
    ['direct', 'haproxy', 'node-silent', 'worker', 14_000],
    ['direct', 'haproxy', 'nothing', 'own', 0],
    ['bind-vip', 'alibaba-clb', 'apiserver-killed', 'own', 'until-healed'],
    ['bind-vip', 'alibaba-clb', 'apiserver-killed', 'other', 0],
    ['hosts', 'alibaba-clb', 'nothing', 'own-stale-pod', 'until-healed'],
    ['hosts', 'gcp-internal', 'apiserver-killed', 'own-pod', 'until-healed'],
    ['keepalived-haproxy', 'alibaba-clb', 'apiserver-killed', 'outside', 1500],
    ['keepalived-vip', 'none', 'node-silent', 'outside', 10_800],
    ['all-master-vip', 'none', 'node-silent', 'outside', 60_500],
    ['steer', 'alibaba-clb', 'apiserver-killed', 'own', 0],
    ['steer', 'alibaba-clb', 'balancer-down', 'own-pod', 0],
    ['steer', 'alibaba-clb', 'agent-killed', 'own', 'until-healed'],
    ['steer', 'azure-ilb', 'apiserver-frozen', 'own', 2300],
  ] as const)('%s behind %s, %s, seen by %s: %s', (variant, preset, fault, client, want) => {
    expect(predict(variant, balancerOf(preset), fault, client)?.allGoodMs).toBe(want);
  });

  test('says nothing of a fault that nobody has reckoned', () => {
    expect(predict('steer', balancerOf('haproxy'), 'meteor', 'own')).toBeUndefined();
  });
});

describe('the plan of the matrix', () => {
  const wanted = { faults, balancer: balancerOf, full: false };

  test('has every strategy behind every balancer that it can be behind, the steady state of each first', () => {
    const groups = planMatrix({ ...wanted, only: [] });
    expect(groups.map(({ variant, preset }) => `${variant.name}@${preset}`)).toHaveLength(8 + 6 * 4 + 2);
    expect(groups.every(({ faults: [first] }) => first?.name === 'nothing')).toBe(true);
    expect(groups.find(({ variant }) => variant.name === 'all-master-vip')?.faults.map(({ name }) => name)).toEqual([
      'nothing',
      'apiserver-killed',
      'apiserver-frozen',
      'node-silent',
      'haproxy-killed',
    ]);
    expect(cellsOf(planMatrix({ ...wanted, full: true, only: [] }))).toBeGreaterThan(1.5 * cellsOf(groups));
  });

  test.each([
    [['steer@alibaba-clb,apiserver-killed'], ['steer@alibaba-clb nothing apiserver-killed']],
    [['hosts,node-silent'], 5],
    [['steer-workers,node-silent'], 5],
    [
      ['*@none,haproxy-killed'],
      ['keepalived-vip@none nothing haproxy-killed', 'all-master-vip@none nothing haproxy-killed'],
    ],
    [['steer,haproxy-killed'], []],
  ] as const)('of %s', (only, want) => {
    const groups = planMatrix({ ...wanted, only }).map(
      (group) => `${group.variant.name}@${group.preset} ${group.faults.map(({ name }) => name).join(' ')}`,
    );
    if (typeof want === 'number') expect(groups).toHaveLength(want);
    else expect(groups).toEqual(want);
  });

  test('a fault lasts until the slowest client must be well again', () => {
    const [group] = planMatrix({ ...wanted, only: ['direct@aws-nlb,node-silent'] });
    expect(group?.faults.at(-1)).toEqual({ name: 'node-silent', forMs: 75_000 });
  });
});

describe('a cell', () => {
  const attempt = (client: string, at: number, ok: boolean) => ({
    is: 'attempt' as const,
    client,
    over: 'new' as const,
    scheduledAt: at,
    startedAt: at,
    endedAt: at + 10,
    outcome: { is: ok ? ('ok' as const) : ('refused' as const) },
  });
  const marks = [
    { is: 'mark', at: 1000, what: 'begin', text: '' },
    { is: 'mark', at: 3000, what: 'inject', text: '' },
    { is: 'mark', at: 3000, what: 'fault', text: '' },
    { is: 'mark', at: 9000, what: 'healed', text: '' },
    { is: 'mark', at: 12_000, what: 'end', text: '' },
  ] as const;
  const client = (name: string, fails: (at: number) => boolean) => {
    const times = Array.from({ length: 110 }, (_, i) => 1000 + i * 100);
    return [
      ...times.map((at) => attempt(name, at, !fails(at))),
      {
        is: 'engine' as const,
        client: name,
        at: 12_000,
        forMs: 11_000,
        planned: 110,
        started: 110,
        lateMs: { p50: 1, p99: 2, max: 3 },
        cpuMs: 100,
      },
    ];
  };

  test('failures that end with the fault are told from those that end before', () => {
    const history = [
      ...marks,
      ...client('own', (at) => at >= 3000 && at < 9000),
      ...client('outside', (at) => at >= 3000 && at < 5000),
    ];
    const { is, clients } = judgeCell(history, { baseline: {}, watched: 'every' });
    expect([is, clients.map((c) => [c.client, c.failed, c.allGoodAfterMs])]).toEqual([
      'measured',
      [
        ['own', 60, 'until-healed'],
        ['outside', 20, 1910],
      ],
    ]);
  });

  test('a client that fails with nothing broken does not make the experiment bad, another one does', () => {
    const history = [...marks, ...client('own', (at) => at % 300 === 0), ...client('outside', () => false)];
    expect(judgeCell(history, { baseline: { own: 0.33 }, watched: 'every' }).is).toBe('measured');
    expect(judgeCell(history, { baseline: {}, watched: 'every' })).toMatchObject({
      is: 'bad',
      reasons: [expect.stringContaining('own had')],
    });
  });
});

test('finished cells outlive a kill in the middle of a line', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hairpin-matrix-'));
  const file = join(dir, 'matrix', 'wire.jsonl');
  try {
    const [first, second] = cells;
    if (first === undefined || second === undefined) throw new Error('there are no cells');
    await appendCell(file, first);
    const text = await readFile(file, 'utf8');
    await writeFile(file, `${text}\n${JSON.stringify(second).slice(0, 40)}`);
    await appendCell(file, { ...first, target: 'm2' });
    await appendCell(file, second);
    expect(await readCells(file)).toEqual([{ ...first, target: 'm2' }, second]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
