import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cell } from '../../../src/drill/matrix/cell.ts';
import { labNetns } from '../../../src/lab/runtime/sweep.ts';
import { type CliResult, hairpin, startHairpin } from '../../support/hairpin.ts';

// Two strategies × two faults, the smallest matrix that says something: killed in the middle, gone on with, drawn.

const only = [
  'bind-vip@haproxy,apiserver-killed',
  'bind-vip@haproxy,node-silent',
  'hosts@haproxy,apiserver-killed',
  'hosts@haproxy,node-silent',
];
const args = ['drill', 'matrix', '--only', ...only, '--parallel', '1', '--rate', '4'];
let dir = '';
let env: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-matrix-'));
  env = { HAIRPIN_STATE: dir };
});
afterAll(async () => {
  for (const lab of await labsLeft()) await hairpin(['lab', 'down', '--lab', lab], { env });
  await rm(dir, { recursive: true, force: true });
});

const labsLeft = async () => [...(await labNetns()).keys()].filter((lab) => /^mx-(?:bind-vip|hosts)-hap$/.test(lab));
const cellsThere = async () =>
  (await readFile(join(dir, 'matrix', 'wire.jsonl'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

test('a matrix that is killed in the middle goes on where it was, and leaves no lab behind', async () => {
  const first = startHairpin(args, env);
  while ((await cellsThere()).length < 2 && first.child.exitCode === null) await sleep(50);
  // A cell is under way: its lab is up and something in it is broken.
  await sleep(4000);
  process.kill(-(first.child.pid ?? 0), 'SIGKILL');
  const killed: CliResult = await first.done;
  const before = await cellsThere();
  expect([before.length, (await labsLeft()).length], killed.stderr).toEqual([2, 1]);

  // What a busy machine has spoiled is tried again by the same command, and nothing else is.
  let again = await hairpin([...args, '--to', join(dir, 'docs'), '--output', 'json'], { env });
  for (let round = 0; round < 2 && again.code !== 0; round += 1) {
    again = await hairpin([...args, '--to', join(dir, 'docs'), '--output', 'json'], { env });
  }
  const { cells } = JSON.parse(again.stdout) as { cells: Cell[] };
  const made = (cell: Cell) => `${cell.variant},${cell.fault} ${cell.is}`;
  expect(cells.map(made).toSorted(), again.stderr).toEqual([
    'bind-vip,apiserver-killed measured',
    'bind-vip,node-silent measured',
    'bind-vip,nothing measured',
    'hosts,apiserver-killed measured',
    'hosts,node-silent measured',
    'hosts,nothing measured',
  ]);
  // What was finished before the kill is as it was.
  expect((await cellsThere()).slice(0, 2)).toEqual(before);
  expect(await labsLeft()).toEqual([]);

  const killedCell = cells.find((cell) => cell.variant === 'bind-vip' && cell.fault === 'apiserver-killed');
  const by = Object.fromEntries((killedCell?.clients ?? []).map((client) => [client.client, client]));
  expect(by.own?.allGoodAfterMs).toBe('until-healed');
  expect(by['own-pod']?.allGoodAfterMs).toBe('until-healed');
  expect([by.other?.failed, by.outside?.allGoodAfterMs === 'until-healed']).toEqual([0, false]);
  // hosts: a pod on a master asks DNS and gets the balancer, which hairpins here; one with the old file likewise.
  const hostsCell = cells.find((cell) => cell.variant === 'hosts' && cell.fault === 'apiserver-killed');
  expect(hostsCell?.clients.map(({ client }) => client).toSorted()).toEqual([
    'other',
    'outside',
    'own',
    'own-pod',
    'own-stale-pod',
    'worker',
    'worker-pod',
  ]);

  expect((await readdir(join(dir, 'docs'))).toSorted()).toEqual([
    'availability.json',
    'availability.md',
    'availability.svg',
  ]);
  const page = await readFile(join(dir, 'docs', 'availability.md'), 'utf8');
  expect(page).toContain('## Behind haproxy');
  expect(page).toContain('### node-silent');

  const lines = await cellsThere();
  const nothing = await hairpin([...args, '--output', 'json'], { env });
  expect(JSON.parse(nothing.stdout)).toMatchObject({ cells: { length: 6 } });
  expect(await cellsThere()).toEqual(lines);
}, 800_000);

test('Ctrl-C takes the lab down before the command ends', async () => {
  const running = startHairpin([...args, '--again'], env);
  while ((await labsLeft()).length === 0 && running.child.exitCode === null) await sleep(50);
  await sleep(3000);
  running.child.kill('SIGINT');
  const { code } = await running.done;
  expect(code).toBe(1);
  expect(await labsLeft()).toEqual([]);
}, 120_000);

test('lists what there is to be run, and what is there', async () => {
  const { stdout } = await hairpin(
    ['drill', 'matrix', '--list', '--only', 'steer@alibaba-clb,apiserver-killed', '--output', 'json'],
    { env },
  );
  expect(JSON.parse(stdout)).toEqual({
    cells: [
      { strategy: 'steer', balancer: 'alibaba-clb', fault: 'nothing', forMs: 3000, is: 'missing' },
      { strategy: 'steer', balancer: 'alibaba-clb', fault: 'apiserver-killed', forMs: 9000, is: 'missing' },
    ],
  });
});
