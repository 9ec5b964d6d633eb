import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProbeReport } from '../../src/balancer/probe/run-probe.ts';
import { type Lab, startLab } from '../../src/lab/runtime/start-lab.ts';
import { balancerCatalog } from '../../src/lab/spec/catalog.ts';
import { resolveLab } from '../../src/lab/spec/resolve.ts';
import { inShort, leftovers } from '../support/probe-lab.ts';

// Bare Debian nodes behind the Alibaba CLB preset, over real ssh: what a user has before the first `up`.
let lab: Lab;

beforeAll(async () => {
  const input = {
    name: 'prb-node',
    tier: 'node',
    masters: 3,
    workers: 1,
    clients: 0,
    balancer: 'alibaba-clb',
  } as const;
  const resolved = resolveLab(input, balancerCatalog());
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  lab = await startLab(resolved.spec);
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

const bin = join(import.meta.dirname, '../../bin/hairpin');
const probeArgv = () => ['probe', '-f', lab.cx.paths.clusterYaml];

function hairpin(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(bin, argv, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test('hairpin probe measures `drop` on bare nodes and leaves nothing on them', async () => {
  const { code, stdout, stderr } = await hairpin([...probeArgv(), '--output', 'json']);
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout) as ProbeReport;
  expect(inShort(report)).toEqual({ nodes: 'm1 drop, m2 drop, m3 drop, w1 works', behaviour: 'drop', problems: [] });
  expect(report.observation.served).toBe('listener');
  for (const node of ['m1', 'm2', 'm3', 'w1']) expect(await leftovers(lab, node)).toEqual([]);
});

test('its words say what was measured, what it means and what to do', async () => {
  const { code, stdout } = await hairpin(probeArgv());
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  expect(lines[0]).toBe(
    'endpoint 172.16.105.26:6443   3 masters · 1 worker · 30 tries each · throw-away listeners served',
  );
  expect(lines[2]).toBe('  node   class   answered   what happened');
  expect(lines[3]).toMatch(/^ {2}m1 {5}drop {4}\d+ of 30 +\d+ came back to m1 with source = destination/);
  expect(lines.at(-2)).toMatch(/^→ strategy steer fits; .*hairpin plan --strategy steer$/);
});

test('Ctrl-C takes everything away before hairpin ends', async () => {
  const child = spawn(bin, probeArgv(), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  await until(async () => (await leftovers(lab, 'm1')).length >= 2);
  child.kill('SIGINT');
  expect(await ended).toBe(1);
  expect(said).toMatch(/Interrupted by SIGINT\n {2}code: INTERRUPTED\n$/);
  for (const node of ['m1', 'm2', 'm3', 'w1']) expect(await leftovers(lab, node)).toEqual([]);
});

test('after SIGKILL of hairpin the nodes clean up by themselves', async () => {
  const child = spawn(bin, probeArgv(), { stdio: 'ignore' });
  await until(async () => (await leftovers(lab, 'm1')).length >= 2);
  child.kill('SIGKILL');
  for (const node of ['m1', 'm2', 'm3', 'w1']) await until(async () => (await leftovers(lab, node)).length === 0);
  expect(await leftovers(lab, 'm1')).toEqual([]);
});

async function until(what: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await what())) {
    if (performance.now() > end) throw new Error('not within 20 s');
    await sleep(100);
  }
}
