import { describe, expect, test } from 'vitest';
import type { LabInput } from '../../src/lab/spec/input.ts';
import { untilInRotation, wireLab } from '../support/balancer-lab.ts';
import { inShort, leftovers, probeLab, withoutApiservers } from '../support/probe-lab.ts';

// Quick checks, so that a test does not wait for the balancer; the verdicts do not depend on them.
const healthCheck = { protocol: 'tcp', intervalMs: 300, timeoutMs: 3000, rise: 2, fall: 3 } as const;

const three = (master: string, worker: string) => `m1 ${master}, m2 ${master}, m3 ${master}, w1 ${worker}`;

interface Row {
  readonly name: string;
  readonly balancer: Exclude<LabInput['balancer'], string | undefined>;
  readonly masters: number;
  readonly ip?: '4' | '6';
  readonly nodes: string;
  readonly behaviour: string | undefined;
  readonly problems?: readonly string[];
}

const rows: readonly Row[] = [
  { name: 'drop', balancer: { like: 'drop' }, masters: 3, nodes: three('drop', 'works'), behaviour: 'drop' },
  {
    name: 'drop over IPv6',
    balancer: { like: 'drop' },
    masters: 3,
    ip: '6',
    nodes: three('drop', 'works'),
    behaviour: 'drop',
  },
  {
    name: 'drop with one master',
    balancer: { like: 'drop' },
    masters: 1,
    nodes: 'm1 drop, w1 works',
    behaviour: 'drop',
  },
  { name: 'works', balancer: { like: 'works' }, masters: 3, nodes: three('works', 'works'), behaviour: 'works' },
  {
    name: 'works with one master',
    balancer: { like: 'works' },
    masters: 1,
    nodes: 'm1 works, w1 works',
    behaviour: 'works',
  },
  { name: 'local', balancer: { like: 'local' }, masters: 3, nodes: three('local', 'works'), behaviour: 'local' },
  {
    name: 'local over IPv6',
    balancer: { like: 'local' },
    masters: 3,
    ip: '6',
    nodes: three('local', 'works'),
    behaviour: 'local',
  },
  {
    name: 'one-arm',
    balancer: { like: 'one-arm' },
    masters: 3,
    nodes: three('one-arm', 'one-arm'),
    behaviour: 'one-arm',
  },
  {
    name: 'one-arm with one master',
    balancer: { like: 'one-arm' },
    masters: 1,
    nodes: 'm1 drop, w1 one-arm',
    behaviour: 'one-arm',
  },
  { name: 'proxy', balancer: { like: 'proxy' }, masters: 3, nodes: three('works', 'works'), behaviour: 'works' },
  {
    name: 'proxy that ends TLS',
    balancer: { like: 'proxy', terminateTls: true },
    masters: 3,
    nodes: three('foreign', 'foreign'),
    behaviour: undefined,
    problems: ['TLS_TERMINATED m1 m2 m3 w1'],
  },
];

function labOf(row: Row, prefix: string): LabInput {
  return {
    name: `prb-${prefix}`,
    masters: row.masters,
    workers: 1,
    clients: 0,
    ip: row.ip ?? '4',
    balancer: { ...row.balancer, healthCheck },
  };
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `m${i + 1}`);

describe('runHairpinProbe() on apiservers that serve', () => {
  test.each(rows)('$name', async (row) => {
    await using lab = await wireLab(labOf(row, 'r'));
    await untilInRotation(lab, names(row.masters));
    const report = await probeLab(lab);
    expect(inShort(report)).toEqual({ nodes: row.nodes, behaviour: row.behaviour, problems: row.problems ?? [] });
    expect(report.observation.served).toBe('real');
    expect(await leftovers(lab, 'm1')).toEqual([]);
  });
});

describe('runHairpinProbe() on bare machines, with listeners of its own', () => {
  test.each(rows.filter((row) => row.ip === undefined))('$name', async (row) => {
    await using lab = await wireLab(labOf(row, 'l'));
    await withoutApiservers(lab);
    const report = await probeLab(lab);
    expect(inShort(report)).toEqual({ nodes: row.nodes, behaviour: row.behaviour, problems: row.problems ?? [] });
    expect(report.observation.served).toBe('listener');
    expect(await leftovers(lab, 'm1')).toEqual([]);
  });

  test.each([
    { protocol: 'http', path: '/readyz' },
    { protocol: 'https', path: '/livez/ping' },
  ] as const)('a health check by $protocol is served what it wants', async (check) => {
    await using lab = await wireLab({
      ...labOf({ name: check.protocol, balancer: {}, masters: 3, nodes: '', behaviour: 'drop' }, 'c'),
      balancer: { like: 'drop', healthCheck: { ...healthCheck, ...check } },
    });
    await withoutApiservers(lab);
    expect(inShort(await probeLab(lab))).toEqual({ nodes: three('drop', 'works'), behaviour: 'drop', problems: [] });
    // Nothing in /run, and nothing where the probe happened to be started.
    expect((await lab.exec('m1', ['sh', '-c', 'ls -d /run/hairpin_probe_* ./key ./cert 2>/dev/null'])).stdout).toBe('');
  });
});

test('a master loses as many connections as it shares backends, and each lost one was counted', async () => {
  await using lab = await wireLab({
    ...labOf({ name: 'numbers', balancer: {}, masters: 3, nodes: '', behaviour: 'drop' }, 'n'),
    balancer: { like: 'drop', healthCheck },
  });
  await untilInRotation(lab, names(3));
  const { verdict } = await probeLab(lab, { tries: 60 });
  for (const node of verdict.nodes.filter((one) => one.node !== 'w1')) {
    expect(node.returned).toBe(node.timeouts);
    expect(node.answered + node.timeouts).toBe(60);
    // One in three; 5 to 35 of 60 is wide enough for the round robin that four clients share.
    expect(node.timeouts).toBeGreaterThan(4);
    expect(node.timeouts).toBeLessThan(36);
  }
});
