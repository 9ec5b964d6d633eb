import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readInForce } from '../../../src/drill/faults/records.ts';
import { readBalancerStatus } from '../../../src/lab/balancer/client.ts';
import { readFaults } from '../../../src/lab/faults/records.ts';
import type { Lab } from '../../../src/lab/runtime/start-lab.ts';
import { readStandin, setStandin } from '../../../src/lab/standin/control.ts';
import { untilInRotation, wireLab } from '../../support/balancer-lab.ts';
import { hairpin } from '../../support/hairpin.ts';

describe('hairpin drill', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await wireLab({ name: 'drill-cli', balancer: { like: 'works' } });
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
  });
  afterAll(async () => lab[Symbol.asyncDispose]());

  const drill = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await hairpin(['drill', ...args, '--lab', lab.name, '--output', 'json']);
    return { exitCode: code, stderr, said: JSON.parse(stdout) as unknown };
  };

  test('lists the drills and says which this lab cannot do', async () => {
    const { said } = await drill('list');
    const { drills } = said as { drills: { name: string; unavailable?: string }[] };
    expect(drills.filter((d) => d.unavailable === undefined).map((d) => d.name)).toEqual([
      'apiserver-killed',
      'apiserver-frozen',
      'apiserver-not-ready',
      'apiserver-slow',
      'node-silent',
      'cable-pulled',
      'balancer-down',
      'balancer-slow',
      'balancer-wrong',
      'rules-flushed',
      'conntrack-flushed',
      'second-fault',
    ]);
    expect(drills.find((d) => d.name === 'etcd-killed')?.unavailable).toBe('lab drill-cli has no etcd-killed');
  });

  test('a dry run says what would be done to whom, and breaks nothing', async () => {
    expect(await drill('run', 'second-fault', '--node', 'm2', '--dry-run')).toEqual({
      exitCode: 0,
      stderr: '',
      said: {
        acts: [
          {
            drill: 'second-fault',
            fault: 'apiserver-frozen',
            target: 'm2',
            afterMs: 0,
            forMs: 20_000,
            would: ['hairpin lab break freeze m2 kube-apiserver --lab drill-cli'],
          },
          {
            drill: 'second-fault',
            fault: 'balancer-down',
            target: 'balancer',
            afterMs: 8000,
            forMs: 12_000,
            would: ['hairpin lab break balancer-down --lab drill-cli'],
          },
        ],
      },
    });
    expect(await readFaults(lab.cx.paths)).toEqual([]);
  });

  test.each([
    { name: 'an unknown drill', args: ['apiserver-frosen'], code: 'DRILL_UNKNOWN' },
    { name: 'one that this lab cannot do', args: ['etcd-killed'], code: 'DRILL_UNAVAILABLE' },
    { name: 'a node that has no apiserver', args: ['apiserver-frozen', '--node', 'w1'], code: 'USAGE' },
  ])('refuses $name', async ({ args, code }) => {
    expect(await drill('run', ...args)).toMatchObject({ said: { error: { code } } });
  });

  test('never starts on a cluster that is not healthy, and heals what was left before it looks', async () => {
    const args = ['run', 'apiserver-not-ready', '--for', '2s', '--rate', '5'];
    await setStandin(lab.cx.paths, 'm2', { live: false });
    expect(await drill(...args)).toMatchObject({
      exitCode: 1,
      said: {
        error: { code: 'DRILL_UNHEALTHY', message: expect.stringContaining('the apiserver of m2 is not ready') },
      },
    });
    await setStandin(lab.cx.paths, 'm2', { live: true });
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
  });

  test('a balancer that was made slow and wrong is as it was, and so is the apiserver that was away meanwhile', async () => {
    const how = async () => {
      const { healthCheck, backends } = await readBalancerStatus(lab.cx.paths);
      return { every: healthCheck.intervalMs, forced: backends.map(({ name, forced }) => [name, forced]) };
    };
    const before = await how();
    const names = ['balancer-slow', 'balancer-wrong'];
    const { exitCode, said } = await drill('run', ...names, '--for', '2s', '--rate', '3', '--wait', '40s');
    expect([0, 1, 2]).toContain(exitCode);
    expect((said as { drills: { broke: string[] }[] }).drills.map(({ broke }) => broke)).toEqual([
      ['balancer-slow balancer', 'apiserver-killed m1'],
      ['balancer-wrong m1', 'apiserver-killed m1'],
    ]);
    expect(await how()).toEqual(before);
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
    expect((await readStandin(lab.cx.paths, 'm1')).ready).toBe(true);
  });

  test('breaks, heals, saves and judges', async () => {
    const { exitCode, said } = await drill('run', 'apiserver-killed', '--for', '4s', '--rate', '5');
    const { drills } = said as { drills: { id: string; broke: string[]; clients: { client: string }[] }[] };
    expect([0, 1, 2]).toContain(exitCode);
    expect(drills).toMatchObject([
      {
        scenario: 'apiserver-killed',
        site: 'lab drill-cli',
        broke: ['apiserver-killed m1'],
        strategy: 'balancer works',
      },
    ]);
    expect(drills[0]?.clients.map((c) => c.client).toSorted()).toEqual(['m1', 'm1-pod', 'outside', 'w1', 'w1-pod']);
    expect(await readFaults(lab.cx.paths)).toEqual([]);
    expect(await readInForce(join(lab.cx.paths.root, 'drill-in-force'))).toEqual([]);
    expect((await readStandin(lab.cx.paths, 'm1')).ready).toBe(true);
    expect(await readdir(join(lab.cx.paths.root, 'drills'))).toContain(`${drills[0]?.id}.jsonl`);
    const shown = await drill('show', 'last');
    expect(shown.said).toEqual(drills[0]);
  });
});
