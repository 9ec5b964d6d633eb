/**
 * The runner behind `make test`, `make test-node` and `make test-long`: runs the named suites one after the other,
 * shows each one's output as it comes, and ends with one line that counts tests over all of them: `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

// Tools start by `#!/usr/bin/env node`: they get this Node.js, not whichever the machine has.
const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;

const suites = process.argv.slice(2);
if (suites.length === 0) {
  console.error(
    'usage: scripts/test.ts SUITE…   (check, unit, wire, node, long, or a path such as node:test/node/boot)',
  );
  process.exit(64);
}

const total: Count = { passed: 0, failed: 0, skipped: 0 };
for (const suite of suites) {
  console.log(`\n== ${suite}`);
  const start = performance.now();
  const count = suite === 'check' ? await check() : await vitest(suite);
  console.log(
    `== ${suite}: ${count.passed} passed, ${count.failed} failed, ${((performance.now() - start) / 1000).toFixed(0)} s`,
  );
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
}
console.log(
  `\n${total.passed} passed, ${total.failed} failed${total.skipped === 0 ? '' : `, ${total.skipped} skipped`}`,
);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

/** The jobs of scripts/check.ts count as tests, except that the unit tests are counted one by one elsewhere. */
async function check(): Promise<Count> {
  let last = '';
  const code = await run([process.execPath, 'scripts/check.ts', '--no-unit'], (line) => {
    last = line;
  });
  const match = /^(\d+) passed, (\d+) failed$/.exec(last);
  if (match === null) return { passed: 0, failed: 1, skipped: 0 };
  return { passed: Number(match[1]), failed: Math.max(Number(match[2]), code === 0 ? 0 : 1), skipped: 0 };
}

/** `wire` runs a whole project; `node:PATH…` (comma separated) only the named files of it. */
async function vitest(suite: string): Promise<Count> {
  const [project = '', files = ''] = suite.split(':');
  const dir = await mkdtemp(join(tmpdir(), 'hairpin-test-'));
  const report = join(dir, 'report.json');
  try {
    const filters = files === '' ? [] : files.split(',');
    const argv = [
      'node_modules/.bin/vitest',
      'run',
      '--project',
      project,
      '--reporter=verbose',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...filters,
    ];
    const code = await run(argv, () => undefined);
    const json = JSON.parse(await readFile(report, 'utf8')) as Report;
    tell(json);
    // A file that fails to load has no failed test, yet the run has failed.
    const failed = Math.max(json.numFailedTests, code === 0 ? 0 : 1);
    return { passed: json.numPassedTests, failed, skipped: json.numPendingTests };
  } catch (error) {
    console.error(`no report from ${suite}: ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Each failure in one line for each try, near the end of a long log: the first try may fail by another thing than the last. */
function tell({ testResults }: Report): void {
  const failed = testResults.flatMap(({ assertionResults }) => assertionResults).filter((t) => t.status === 'failed');
  for (const { fullName, failureMessages } of failed) {
    console.log(`\nfailed: ${fullName}`);
    const tries = (failureMessages ?? []).map(inOneLine);
    for (const [i, message] of tries.entries()) console.log(`  try ${i + 1}: ${message}`);
  }
}

/** The message without the stack, but for the place in a test where it happened. */
function inOneLine(message: string): string {
  const lines = message.split('\n');
  const place = lines.find((line) => /^\s+at .*\.test\.ts:\d+/.test(line))?.trim() ?? '';
  const told = lines.filter((line) => !/^\s+at /.test(line)).join(' ');
  return `${told.length > 1500 ? `${told.slice(0, 750)} … ${told.slice(-750)}` : told} ${place}`;
}

async function run(argv: readonly string[], onLine: (line: string) => void): Promise<number> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PATH: path } });
  child.stdout.setEncoding('utf8');
  let rest = '';
  child.stdout.on('data', (chunk: string) => {
    process.stdout.write(chunk);
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  return await new Promise((resolve) => {
    child.on('error', () => resolve(127));
    child.on('close', (code) => resolve(code ?? 1));
  });
}
