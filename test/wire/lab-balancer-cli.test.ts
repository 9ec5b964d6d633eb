import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BalancerStatus } from '../../src/index.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { untilInRotation, wireLab } from '../support/balancer-lab.ts';

const name = 'bal-cli';
let lab: Lab;
beforeAll(async () => {
  lab = await wireLab({
    name,
    masters: 2,
    workers: 0,
    endpoint: { kind: 'domain' },
    balancer: { like: 'haproxy', healthCheck: { intervalMs: 200, timeoutMs: 500, rise: 1 } },
  });
  await untilInRotation(lab, ['m1', 'm2']);
});
afterAll(async () => lab[Symbol.asyncDispose]());

/** `hairpin lab balancer …`: exit code and what was printed. */
async function balancer(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const hairpin = join(import.meta.dirname, '../../bin/hairpin');
  return await new Promise((resolve) => {
    execFile(hairpin, ['lab', 'balancer', ...args, '--lab', name], (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

test('status --output json is the status of the balancer', async () => {
  const { code, out } = await balancer('status', '--output', 'json');
  const status = JSON.parse(out) as BalancerStatus;
  expect([code, status.behaviour, status.backends.map((b) => [b.name, b.health, b.inRotation])]).toEqual([
    0,
    'proxy',
    [
      ['m1', 'healthy', true],
      ['m2', 'healthy', true],
    ],
  ]);
});

test('set, checks and power change the balancer and show it after that', async () => {
  const wanted: [string[], RegExp][] = [
    [['set', 'm2', '--eject'], /m2 .* healthy .* no, by hand /],
    [['set', 'm2', '--auto', '--weight', '3'], /m2 .* healthy .* yes \(weight 3\)/],
    [['checks', '--pause'], /note {6}health checks are paused/],
    [['checks', '--resume', '--interval', '1s'], /checks {4}https \/readyz every 1\.0 s/],
    [['power', 'off'], /note {6}the balancer is off: it swallows every packet/],
    [['power', 'on'], /endpoint {2}172\.16\.105\.26, 172\.16\.105\.27 port 6443/],
  ];
  for (const [args, text] of wanted) {
    const { code, out } = await balancer(...args);
    expect({ args, code, out }).toEqual({ args, code: 0, out: expect.stringMatching(text) as unknown });
  }
});

test('dns changes what a name resolves to', async () => {
  const { code, out } = await balancer('dns', 'api.lab.internal', '172.16.105.27');
  expect([code, out.split('\n')[0]]).toEqual([0, 'api.lab.internal  172.16.105.27']);
  const resolved = await lab.exec('c1', ['getent', 'hosts', 'api.lab.internal']);
  expect(resolved.stdout).toMatch(/^172\.16\.105\.27 /);
});

test.each([
  { name: 'nothing to set', args: ['set', 'm1'], code: 64, err: /Nothing to set\n {2}hint: give --eject/ },
  {
    name: 'two things at once',
    args: ['set', 'm1', '--eject', '--admit'],
    code: 64,
    err: /cannot be used with option/,
  },
  { name: 'no such backend', args: ['set', 'm7', '--eject'], code: 1, err: /There is no backend m7; there are m1, m2/ },
  { name: 'not a duration', args: ['checks', '--interval', 'soon'], code: 64, err: /must be a duration such as 500ms/ },
  { name: 'not an address', args: ['dns', 'a.b', '1.2.3'], code: 64, err: /`1\.2\.3` is not an IP address/ },
  { name: 'a name without addresses', args: ['dns', 'a.b'], code: 64, err: /What should a\.b resolve to\?/ },
  { name: 'neither on nor off', args: ['power', 'down'], code: 64, err: /Allowed choices are on, off/ },
])('refuses with a reason: $name', async ({ args, code, err }) => {
  const seen = await balancer(...args);
  expect({ code: seen.code, err: seen.err }).toEqual({ code, err: expect.stringMatching(err) as unknown });
});
