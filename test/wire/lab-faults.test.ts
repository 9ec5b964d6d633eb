import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type BreakRequest, breakLab, healFaults, type Lab, startLab, stopLab } from '../../src/index.ts';
import { readFaults } from '../../src/lab/faults/records.ts';
import { hairpin } from '../support/hairpin.ts';
import { labSpec } from '../support/lab-spec.ts';

const name = 't-core-fault';

describe.each([
  { kind: 'routed', input: { balancer: 'works', ip: 'dual' } },
  { kind: 'segment', input: { balancer: 'lvs-dr', ip: 'dual' } },
] as const)('on a $kind network', ({ input }) => {
  let lab: Lab;
  beforeAll(async () => {
    // Checks so slow that the balancer never ejects a backend: these tests are about the fault itself.
    const spec = labSpec({ ...input, name, masters: 2, workers: 1 });
    lab = await startLab({
      ...spec,
      balancer: { ...spec.balancer, healthCheck: { ...spec.balancer.healthCheck, intervalMs: 600_000 } },
    });
  });
  afterEach(async () => void (await healFaults(lab)));
  afterAll(async () => void (await stopLab(name)));

  /** How w1 fares with a master's apiserver, at both its addresses. */
  const ask = async (machine: 'm1' | 'm2') => {
    const addresses = lab.spec.machines.find((m) => m.name === machine)?.addresses ?? [];
    const codes = addresses.map(async ({ text, family }) => {
      const url = `https://${family === 6 ? `[${text}]` : text}:6443/readyz`;
      const { exitCode, stdout } = await lab.exec('w1', [
        'curl',
        '-sk',
        '--max-time',
        '1',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        url,
      ]);
      return exitCode === 0 ? stdout : (curlSays[exitCode] ?? `curl ${exitCode}`);
    });
    return (await Promise.all(codes)).join(' ');
  };

  const faults: readonly (BreakRequest & { broken: string })[] = [
    { fault: 'silent', target: 'm1', broken: 'timeout timeout' },
    {
      fault: 'link-down',
      target: 'm1',
      broken: 'timeout timeout',
    },
    { fault: 'freeze', target: 'm1', process: 'kube-apiserver', broken: 'timeout timeout' },
    { fault: 'stop', target: 'm1', process: 'kube-apiserver', broken: 'refused refused' },
  ];

  test.each(faults)(
    '$fault: seen at once by others, not on other machines, and gone after healing',
    async ({ broken, ...request }) => {
      expect([await ask('m1'), await ask('m2')]).toEqual(['200 200', '200 200']);
      await breakLab(lab, request);
      expect([await ask('m1'), await ask('m2')]).toEqual([broken, '200 200']);
      expect(
        (await readFaults(lab.cx.paths)).map(({ fault, target, process }) => ({ fault, target, process })),
      ).toEqual([{ fault: request.fault, target: request.target, process: request.process }]);
      await healFaults(lab);
      expect(await readFaults(lab.cx.paths)).toEqual([]);
      expect([await ask('m1'), await ask('m2')]).toEqual(['200 200', '200 200']);
    },
  );

  test('slow-link: what takes a moment takes seconds, in both directions', async () => {
    const bytes = 60_000;
    const seconds = async (direction: 'to w1' | 'from w1') => {
      const [send, receive] = direction === 'to w1' ? ['m1', 'w1'] : ['w1', 'm1'];
      const to = lab.spec.machines.find((m) => m.name === receive)?.addresses[0]?.text ?? '';
      const receiving = lab.exec(receive, [
        'timeout',
        '20',
        'socat',
        '-u',
        'TCP-LISTEN:9999,reuseaddr',
        'OPEN:/dev/null',
      ]);
      const start = performance.now();
      const sending = `head -c ${bytes} /dev/zero | socat -u - TCP:${to}:9999,retry=50,interval=0.05`;
      await lab.exec(send, ['sh', '-c', sending]);
      await receiving;
      return (performance.now() - start) / 1000;
    };
    const before = [await seconds('to w1'), await seconds('from w1')];
    await breakLab(lab, { fault: 'slow-link', target: 'w1', options: { rate: '256kbit' } });
    const during = [await seconds('to w1'), await seconds('from w1')];
    await healFaults(lab);
    const after = [await seconds('to w1'), await seconds('from w1')];
    // 60 kB at 256 kbit/s take 1.9 s, less the bucket of 4 kB.
    expect(Math.max(...before, ...after)).toBeLessThan(1);
    expect(Math.min(...during)).toBeGreaterThan(1.5);
  });

  test('balancer-down: the endpoint is silent for outsiders, and machines still reach each other', async () => {
    const endpoint = async () => {
      const url = `https://${lab.spec.endpoint.addresses[0]?.text}:6443/readyz`;
      return (await lab.exec('c1', ['curl', '-sk', '--max-time', '1', url])).exitCode;
    };
    expect(await endpoint()).toBe(0);
    await breakLab(lab, { fault: 'balancer-down' });
    expect([await endpoint(), await ask('m1')]).toEqual([28, '200 200']);
    await healFaults(lab, { fault: 'balancer-down' });
    expect(await endpoint()).toBe(0);
  });

  test('faults that exist twice, or nowhere, are refused with what there is', async () => {
    await breakLab(lab, { fault: 'silent', target: 'm2' });
    const says = async (args: readonly string[]) => {
      const { code, stderr } = await hairpin(['lab', ...args, '--lab', name]);
      return [code, ...stderr.trim().split('\n')];
    };
    expect(await says(['break', 'silent', 'm2'])).toEqual([
      1,
      '`silent` is in force on m2 already',
      `  hint: heal it first: hairpin lab heal silent m2 --lab ${name}`,
      '  code: LAB_FAULT',
    ]);
    expect(await says(['break', 'slient', 'm2'])).toEqual([
      1,
      'There is no fault `slient` in the wire tier',
      '  hint: there is silent, link-down, slow-link, freeze, stop, balancer-down; did you mean `silent`?',
      '  code: LAB_NAME_UNKNOWN',
    ]);
    expect(await says(['break', 'silent', 'm9'])).toEqual([
      1,
      `Lab \`${name}\` has no machine \`m9\``,
      '  hint: it has m1, m2, w1, c1, m1-pod, m2-pod, w1-pod',
      '  code: LAB_NAME_UNKNOWN',
    ]);
    expect(await says(['break', 'freeze', 'm1', 'etcd'])).toEqual([
      1,
      'No process `etcd` runs on m1',
      '  hint: there is kube-apiserver',
      '  code: LAB_NAME_UNKNOWN',
    ]);
    expect(await says(['heal', 'freeze'])).toEqual([
      1,
      `Nothing like that is broken in lab \`${name}\``,
      '  hint: broken are silent m2',
      '  code: LAB_NAME_UNKNOWN',
    ]);
    expect(await says(['break', 'slow-link', 'm1', '--rate', 'slow'])).toEqual([
      64,
      '--rate: `slow` is not a value for it; expected one such as 256kbit or 1mbit',
      '  code: USAGE',
    ]);
    expect((await hairpin(['lab', 'heal', '--lab', name])).stdout).toBe('healed: silent m2\n');
    expect((await hairpin(['lab', 'heal', '--lab', name])).stdout).toBe('Nothing was broken.\n');
  });
});

/** curl's exit codes in words. */
const curlSays: Readonly<Record<number, string>> = { 7: 'refused', 28: 'timeout' };
