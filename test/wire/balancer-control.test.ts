import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changeBalancer, readBalancerStatus } from '../../src/lab/balancer/client.ts';
import { startBalancer } from '../../src/lab/balancer/start.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { dial, flow, tally, untilInRotation, wireLab } from '../support/balancer-lab.ts';

// The timeout is far above what a stand-in needs on a busy machine: an ejection that nobody asked for resets flows.
const check = { protocol: 'https', intervalMs: 200, timeoutMs: 1_000, rise: 1, fall: 2 } as const;
const all = ['m1', 'm2', 'm3'];

describe.each(['drop', 'local', 'proxy'] as const)('a running balancer, %s', (behaviour) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await wireLab({
      name: `bal-control-${behaviour}`,
      balancer: { like: behaviour, healthCheck: check, ejectedFlows: 'reset' },
    });
    await untilInRotation(lab, all);
  });
  afterAll(async () => lab[Symbol.asyncDispose]());

  test('ejects the wrong one and takes it back when told so', async () => {
    await changeBalancer(lab.cx.paths, { op: 'backend', name: 'm2', forced: 'out' });
    expect(tally(await dial(lab, 'c1', { tries: 10 }))).toBe('m1 5, m3 5');
    // A check that passes must not overrule a hand.
    await sleep(3 * check.intervalMs);
    expect((await readBalancerStatus(lab.cx.paths)).backends.map((b) => [b.name, b.inRotation, b.health])).toEqual([
      ['m1', true, 'healthy'],
      ['m2', false, 'healthy'],
      ['m3', true, 'healthy'],
    ]);
    await changeBalancer(lab.cx.paths, { op: 'backend', name: 'm2', forced: 'auto' });
    await untilInRotation(lab, all);
    expect(tally(await dial(lab, 'c1', { tries: 9 }))).toBe('m1 3, m2 3, m3 3');
  });

  test('spreads by weight, and gives a weight of 0 nothing', async () => {
    await changeBalancer(lab.cx.paths, { op: 'backend', name: 'm1', weight: 4 });
    await changeBalancer(lab.cx.paths, { op: 'backend', name: 'm3', weight: 0 });
    expect(tally(await dial(lab, 'c1', { tries: 20 }))).toBe('m1 16, m2 4');
    await changeBalancer(lab.cx.paths, { op: 'backend', name: 'm1', weight: 1 });
    await changeBalancer(lab.cx.paths, { op: 'backend', name: 'm3', weight: 1 });
    // haproxy makes up for what the heavy one had before it deals evenly again.
    await dial(lab, 'c1', { tries: 30 });
    expect(tally(await dial(lab, 'c1', { tries: 9 }))).toBe('m1 3, m2 3, m3 3');
  });

  test('goes on using a dead backend while checks are paused, and ejects it when they resume', async () => {
    await changeBalancer(lab.cx.paths, { op: 'checks', paused: true });
    await lab.tier.stopMachine(lab.cx, 'm3', 'power-off');
    await sleep(4 * check.intervalMs);
    const paused = await readBalancerStatus(lab.cx.paths);
    await changeBalancer(lab.cx.paths, { op: 'checks', paused: false });
    await untilInRotation(lab, ['m1', 'm2']);
    await lab.tier.startMachine(lab.cx, 'm3');
    await untilInRotation(lab, all);
    expect([paused.checks, paused.backends.map((b) => b.inRotation)]).toEqual(['paused', [true, true, true]]);
  });

  test('notices later with slow checks', async () => {
    await changeBalancer(lab.cx.paths, { op: 'checks', intervalMs: 1_000 });
    await untilInRotation(lab, all);
    const killed = Date.now();
    await lab.tier.stopMachine(lab.cx, 'm3', 'power-off');
    const { history } = await untilInRotation(lab, ['m1', 'm2']);
    const took = (history.findLast((t) => t.to === 'out')?.at ?? 0) - killed;
    await changeBalancer(lab.cx.paths, { op: 'checks', intervalMs: check.intervalMs });
    await lab.tier.startMachine(lab.cx, 'm3');
    await untilInRotation(lab, all);
    expect(took).toBeGreaterThan((check.fall - 1) * 1_000 - 100);
    expect(took).toBeLessThan(check.fall * 1_000 + check.timeoutMs + 400);
  });

  test('is silent while its power is off, for new connections and old ones', async () => {
    const client = flow(lab, 'c1', { forMs: 3_000 });
    await client.machine();
    await changeBalancer(lab.cx.paths, { op: 'power', to: 'off' });
    const off = Date.now();
    expect(tally(await dial(lab, 'c1', { tries: 5 }))).toBe('timeout 5');
    expect(client.lines.filter((l) => l.at > off + 200)).toEqual([]);
    await changeBalancer(lab.cx.paths, { op: 'power', to: 'on' });
    await untilInRotation(lab, all);
    expect(tally(await dial(lab, 'c1', { tries: 9 }))).toBe('m1 3, m2 3, m3 3');
    // What was sent meanwhile is sent again: the connection lives.
    expect((await client.end()).is).toBe('alive');
  });

  test('counts connections and open flows', async () => {
    const before = await readBalancerStatus(lab.cx.paths);
    const client = flow(lab, 'c1', { forMs: 1_500 });
    const machine = await client.machine();
    const during = await readBalancerStatus(lab.cx.paths);
    await client.end();
    const gained = during.backends.map((b, i) => [b.name, b.connections - (before.backends[i]?.connections ?? 0)]);
    expect(gained).toEqual(all.map((name) => [name, name === machine ? 1 : 0]));
    expect(during.backends.find((b) => b.name === machine)?.flows).toBeGreaterThanOrEqual(1);
  });

  test('killed and started again it goes on with what it knew, and live flows do not notice', async () => {
    await changeBalancer(lab.cx.paths, { op: 'backend', name: 'm1', forced: 'out' });
    const client = flow(lab, 'c1', { forMs: 3_000 });
    const machine = await client.machine();
    const { pid } = JSON.parse(await readFile(join(lab.cx.paths.daemons, 'balancer.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await sleep(200);
    // The data plane outlives its control plane.
    expect(tally(await dial(lab, 'c1', { tries: 10 }))).toBe('m2 5, m3 5');
    await startBalancer(lab.cx);
    const status = await readBalancerStatus(lab.cx.paths);
    expect(status.backends.map((b) => [b.name, b.forced, b.inRotation])).toEqual([
      ['m1', 'out', false],
      ['m2', undefined, true],
      ['m3', undefined, true],
    ]);
    expect(tally(await dial(lab, 'c1', { tries: 10 }))).toBe('m2 5, m3 5');
    expect([(await client.end()).is, new Set(client.lines.slice(0, -1).map((l) => l.is))]).toEqual([
      'alive',
      new Set([machine]),
    ]);
    await changeBalancer(lab.cx.paths, { op: 'backend', name: 'm1', forced: 'auto' });
    await untilInRotation(lab, all);
  });

  test('says what is wrong with a request', async () => {
    await expect(changeBalancer(lab.cx.paths, { op: 'backend', name: 'm9', forced: 'out' })).rejects.toThrow(
      'There is no backend m9; there are m1, m2, m3',
    );
    await expect(changeBalancer(lab.cx.paths, { op: 'backend', name: 'm1', weight: -1 })).rejects.toThrow(
      'A weight is a whole number from 0 to 100',
    );
  });
});

test('source hash sends all connections of one client to one backend, and spreads clients', async () => {
  await using lab = await wireLab({
    name: 'bal-hash',
    workers: 0,
    clients: 8,
    balancer: { like: 'works', scheduling: 'source-hash', healthCheck: check },
  });
  await untilInRotation(lab, all);
  const clients = Array.from({ length: 8 }, (_, i) => `c${i + 1}`);
  const answers = await Promise.all(
    clients.map(async (c) => [...new Set((await dial(lab, c, { tries: 6 })).map((o) => o.is))]),
  );
  expect(answers.map((a) => a.length)).toEqual(clients.map(() => 1));
  expect(new Set(answers.flat()).size).toBeGreaterThan(1);
});
