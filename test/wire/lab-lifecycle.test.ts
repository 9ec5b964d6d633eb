import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type LabStatus, startLab, stopLab } from '../../src/index.ts';
import { findLabCgroups } from '../../src/lab/cgroup/find.ts';
import { labPaths } from '../../src/lab/paths.ts';
import { hairpin, startHairpin } from '../support/hairpin.ts';
import { labSpec } from '../support/lab-spec.ts';
import { hostState, tracesOf } from '../support/lab-traces.ts';

const names = ['t-core-a', 't-core-b'] as const;
const [a, b] = names;

afterEach(async () => {
  for (const name of names) await stopLab(name);
});

describe('a lab leaves this machine as it was', () => {
  test.each([
    { kind: 'routed', input: { balancer: 'drop', ip: 'dual' } },
    { kind: 'segment', input: { balancer: 'lvs-dr', ip: 'dual' } },
  ] as const)('$kind: the host is byte-equal while it runs and after it, and nothing is left', async ({ input }) => {
    const before = hostState();
    {
      await using lab = await startLab(labSpec({ ...input, name: a }));
      const { exitCode } = await lab.exec('c1', ['true']);
      expect(exitCode).toBe(0);
      expect(hostState()).toEqual(before);
      expect((await tracesOf(a)).length).toBeGreaterThan(10);
    }
    expect(await tracesOf(a)).toEqual([]);
    expect(hostState()).toEqual(before);
  });

  test('its cgroups are below the caller’s own in every hierarchy', async () => {
    await using _lab = await startLab(labSpec({ name: a, masters: 1, workers: 0 }));
    const own = readFileSync('/proc/self/cgroup', 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\d+:[^:]*:/, ''));
    const dirs = (await findLabCgroups()).get(a) ?? [];
    expect(dirs.length).toBe(own.length);
    const ends = dirs.map((dir) => dir.replace(/^\/sys\/fs\/cgroup\/[^/]+/, ''));
    expect(ends.toSorted()).toEqual(own.map((path) => `${path === '/' ? '' : path}/hairpin/${a}`).toSorted());
  });
});

test('two labs with the same addresses do not see each other', async () => {
  await using first = await startLab(labSpec({ name: a, balancer: 'works', masters: 1, workers: 0 }));
  const second = await startLab(labSpec({ name: b, balancer: 'works', masters: 2, workers: 0 }));
  const ask = async (lab: typeof first, address: string) => {
    const argv = ['curl', '-sk', '--max-time', '1', '-o', '/dev/null', '-w', '%{http_code}'];
    return (await lab.exec('c1', [...argv, `https://${address}:6443/readyz`])).stdout;
  };
  // m2 is there in the second lab only, at an address that both could have.
  expect([await ask(first, '172.16.104.54'), await ask(first, '172.16.104.55')]).toEqual(['200', '000']);
  expect([await ask(second, '172.16.104.54'), await ask(second, '172.16.104.55')]).toEqual(['200', '200']);
  const list = JSON.parse((await hairpin(['lab', 'list', '-o', 'json'])).stdout) as { labs: { name: string }[] };
  expect(list.labs.map(({ name }) => name).filter((name) => names.some((known) => known === name))).toEqual([a, b]);
  // The end of one is nothing to the other.
  await second[Symbol.asyncDispose]();
  expect(await tracesOf(b)).toEqual([]);
  expect(await ask(first, '172.16.105.26')).toBe('200');
});

describe('`lab up` that does not get to its end', () => {
  test.each([40, 250, 400, 600, 900])('killed after %i ms: `lab down` leaves nothing', async (ms) => {
    const up = startHairpin(['lab', 'up', '--lab', a]);
    await sleep(ms);
    up.child.kill('SIGKILL');
    await up.done;
    const down = await hairpin(['lab', 'down', '--lab', a]);
    expect(down.code).toBe(0);
    expect(await tracesOf(a)).toEqual([]);
  });

  test('interrupted by Ctrl-C: it cleans up by itself and says so', async () => {
    const up = startHairpin(['lab', 'up', '--lab', a]);
    await untilTraces(a);
    await sleep(150);
    process.kill(-(up.child.pid ?? 0), 'SIGINT');
    const { code, stderr } = await up.done;
    expect({ code, last: stderr.trim().split('\n').slice(-2) }).toEqual({
      code: 1,
      last: ['Interrupted by SIGINT', '  code: INTERRUPTED'],
    });
    expect(await tracesOf(a)).toEqual([]);
  });

  test('taken down meanwhile: `down` stops it and leaves nothing', async () => {
    const up = startHairpin(['lab', 'up', '--lab', a]);
    await untilTraces(a);
    expect(await stopLab(a)).toBe(true);
    expect((await up.done).code).toBe(1);
    expect(await tracesOf(a)).toEqual([]);
  });

  test('taken down meanwhile in a program that uses the library: it gets an error and nothing is left', async () => {
    const starting = startLab(labSpec({ name: a })).then(
      () => 'up',
      (error: Error) => error.constructor.name,
    );
    await untilTraces(a);
    await sleep(150);
    await stopLab(a);
    expect(await starting).toBe('OperatorError');
    expect(await tracesOf(a)).toEqual([]);
  });

  test('a daemon that does not start: the error has its log, and nothing is left', async () => {
    const spec = labSpec({ name: a, masters: 1, workers: 0 });
    const failed = await startLab({ ...spec, apiServerPort: 70_000 }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'LAB_DAEMON_DOWN', cause: expect.stringContaining('ERR_SOCKET_BAD_PORT') });
    expect(await tracesOf(a)).toEqual([]);
  });
});

describe('`lab down`', () => {
  test('works without the lab’s own record, and again when there is nothing', async () => {
    expect((await hairpin(['lab', 'up', '--lab', a])).code).toBe(0);
    rmSync(labPaths(a).root, { recursive: true });
    const results = [await hairpin(['lab', 'down', '--lab', a]), await hairpin(['lab', 'down', '--lab', a])];
    expect(results.map(({ code, stdout }) => ({ code, stdout }))).toEqual([
      { code: 0, stdout: `${a} is down\n` },
      { code: 0, stdout: `There is no lab ${a}.\n` },
    ]);
    expect(await tracesOf(a)).toEqual([]);
  });

  test('may be called by several at once', async () => {
    await startLab(labSpec({ name: a }));
    await Promise.all([stopLab(a), stopLab(a), hairpin(['lab', 'down', '--lab', a])]);
    expect(await tracesOf(a)).toEqual([]);
  });

  test('ends what was started inside with `lab exec`', async () => {
    await startLab(labSpec({ name: a, masters: 1, workers: 0 }));
    const sleeper = startHairpin(['lab', 'exec', 'm1', '--lab', a, '--', 'sh', '-c', 'echo there; exec sleep 600']);
    await once(sleeper.child.stdout as NodeJS.ReadableStream, 'data');
    await stopLab(a);
    expect((await sleeper.done).code).toBe(137);
    expect(await tracesOf(a)).toEqual([]);
  });
});

test('a second `up` of the same lab is refused and harms nothing', async () => {
  await using lab = await startLab(labSpec({ name: a, masters: 1, workers: 0 }));
  const second = await hairpin(['lab', 'up', '--lab', a]);
  expect(second).toEqual({
    code: 1,
    stdout: '',
    stderr: [
      `There is a lab \`${a}\` already, or something of one`,
      `  hint: see \`hairpin lab status --lab ${a}\`; take it down with \`hairpin lab down --lab ${a}\`, or use another --lab name`,
      '  code: LAB_ALREADY_THERE',
      '',
    ].join('\n'),
  });
  expect((await lab.exec('m1', ['true'])).exitCode).toBe(0);
});

test('`lab status --output json` names everything that other programs need', async () => {
  await using _lab = await startLab(labSpec({ name: a, masters: 1, workers: 1, ip: 'dual' }));
  const status = JSON.parse((await hairpin(['lab', 'status', '--lab', a, '-o', 'json'])).stdout) as LabStatus;
  const { balancer, ...rest } = status;
  expect(rest).toEqual({
    name: a,
    tier: 'wire',
    network: 'routed',
    kubernetes: 'v1.37.2',
    directory: labPaths(a).root,
    spec: labPaths(a).clusterYaml,
    ssh_config: null,
    endpoint: { domain: null, addresses: ['172.16.105.26', 'fd00:172:16:105::26'], port: 6443 },
    dns: ['172.16.104.3', 'fd00:172:16:104::3'],
    nodes: [
      {
        name: 'm1',
        role: 'control-plane',
        addresses: ['172.16.104.54', 'fd00:172:16:104::54'],
        netns: `hp-${a}-m1`,
        state: 'running',
      },
      {
        name: 'w1',
        role: 'worker',
        addresses: ['172.16.104.55', 'fd00:172:16:104::55'],
        netns: `hp-${a}-w1`,
        state: 'running',
      },
      {
        name: 'c1',
        role: 'client',
        addresses: ['172.16.200.10', 'fd00:172:16:200::10'],
        netns: `hp-${a}-c1`,
        state: 'running',
      },
    ],
    faults: [],
  });
  const { detail, ...summary } = balancer;
  expect(summary).toEqual({
    preset: 'alibaba-clb',
    behaviour: 'drop',
    addresses: ['172.16.104.2', 'fd00:172:16:104::2'],
    problem: null,
  });
  expect(detail).toMatchObject({ behaviour: 'drop', power: 'on' });
});

test('`lab exec` passes standard input, output, errors and the exit code through', async () => {
  await using _lab = await startLab(labSpec({ name: a, masters: 1, workers: 0 }));
  const script = 'cat; hostname; echo to-stderr >&2; exit 7';
  const result = await hairpin(['lab', 'exec', 'm1', '--lab', a, '--', 'sh', '-c', script], {
    stdin: 'from outside\n',
  });
  expect(result).toEqual({ code: 7, stdout: 'from outside\nm1\n', stderr: 'to-stderr\n' });
  const killed = await hairpin(['lab', 'exec', 'm1', '--lab', a, '--', 'sh', '-c', 'kill -TERM $$']);
  expect(killed.code).toBe(143);
});

async function untilTraces(lab: string): Promise<void> {
  const end = performance.now() + 10_000;
  while ((await tracesOf(lab)).filter((line) => line.startsWith('namespace')).length < 3) {
    if (performance.now() > end) throw new Error('no lab came');
    await sleep(5);
  }
}
