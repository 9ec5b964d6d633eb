import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type LabSpec, labNames, parseLabFlags, startLab } from '../src/index.ts';

// `npm run bench:lab [-- wire|node]`: how long a lab of 3 masters and 1 worker takes, by the clock on the wall, from the
// command line as a user sees it and from the library. Printed, not asserted: the goals are for an idle machine.

const bin = join(import.meta.dirname, '..', 'bin/hairpin');
const rounds = 5;
const name = 'bench-lab';

interface Row {
  readonly what: string;
  readonly goal: string;
  readonly seconds: readonly number[];
}

const tiers = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['wire'];
if ((await labNames()).includes(name)) throw new Error(`There is a lab ${name}; take it down first`);
for (const tier of tiers) {
  if (tier !== 'wire' && tier !== 'node') throw new Error(`Unknown tier ${tier}; there is wire and node`);
  console.log(`\n${tier} tier, 3 masters + 1 worker + 1 client, ${rounds} rounds, load ${loadNow()}`);
  print([...commandLine(tier), ...(await library(parseLabFlags({ lab: name, tier })))]);
}

function commandLine(tier: string): Row[] {
  const up: number[] = [];
  const down: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    up.push(timed(['lab', 'up', '--lab', name, '--tier', tier]));
    down.push(timed(['lab', 'down', '--lab', name]));
  }
  const goal = tier === 'wire' ? '2' : '8';
  return [
    { what: 'hairpin lab up', goal, seconds: up },
    { what: 'hairpin lab down', goal: tier === 'wire' ? '1' : '–', seconds: down },
  ];
}

async function library(spec: LabSpec): Promise<Row[]> {
  const up: number[] = [];
  const down: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    const lab = await startLab(spec);
    const running = performance.now();
    await lab[Symbol.asyncDispose]();
    up.push((running - start) / 1000);
    down.push((performance.now() - running) / 1000);
  }
  return [
    { what: 'startLab()', goal: '–', seconds: up },
    { what: 'its disposal', goal: '–', seconds: down },
  ];
}

function timed(args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(bin, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`hairpin ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return (performance.now() - start) / 1000;
}

function print(rows: readonly Row[]): void {
  console.log(
    `  ${'what'.padEnd(18)}${'best'.padStart(8)}${'median'.padStart(8)}${'worst'.padStart(8)}${'goal'.padStart(8)}   seconds`,
  );
  for (const { what, goal, seconds } of rows) {
    const sorted = seconds.toSorted((a, b) => a - b);
    const at = (i: number) => (sorted.at(i) ?? Number.NaN).toFixed(2).padStart(8);
    console.log(`  ${what.padEnd(18)}${at(0)}${at(Math.floor(sorted.length / 2))}${at(-1)}${goal.padStart(8)}`);
  }
}

function loadNow(): string {
  return spawnSync('cut', ['-d', ' ', '-f1', '/proc/loadavg'], { encoding: 'utf8' }).stdout.trim();
}
