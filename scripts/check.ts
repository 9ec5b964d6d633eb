/**
 * `npm run check`: everything that needs no root, at once, two at a time, with one line each. The goal is ≤ 60 s.
 * Prints the output of what failed, and ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

interface Job {
  readonly name: string;
  readonly argv: readonly string[];
}

// Tools start by `#!/usr/bin/env node`: they get this Node.js, not whichever the machine has.
const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
const bin = (name: string) => `node_modules/.bin/${name}`;

const jobs: readonly Job[] = [
  { name: 'format and lint (biome)', argv: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'typed lint (oxlint)', argv: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'types (tsc)', argv: [bin('tsc'), '--noEmit'] },
  { name: 'unused (knip)', argv: [bin('knip')] },
  ...(existsSync('scripts/generate.ts')
    ? [{ name: 'generated files are current', argv: [process.execPath, 'scripts/generate.ts', '--check'] }]
    : []),
  ...(process.argv.includes('--no-unit')
    ? []
    : [{ name: 'unit tests', argv: [bin('vitest'), 'run', '--project', 'unit', '--reporter=dot'] }]),
];

const results = await runAll(jobs, 2);
const failed = results.filter((ok) => !ok).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function runAll(all: readonly Job[], width: number): Promise<boolean[]> {
  const queue = [...all.entries()];
  const verdicts: boolean[] = [];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, job] = next;
      verdicts[index] = await run(job);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return verdicts;
}

async function run(job: Job): Promise<boolean> {
  const start = performance.now();
  const [command = '', ...args] = job.argv;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path, FORCE_COLOR: '0', NO_COLOR: '1' },
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      resolve(127);
    });
    child.on('close', (exit) => resolve(exit ?? 1));
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${code === 0 ? '✔' : '✘'} ${job.name}  ${seconds} s`);
  if (code !== 0) console.log(Buffer.concat(output).toString());
  return code === 0;
}
