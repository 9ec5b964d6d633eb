import { describe, expect, test } from 'vitest';
import type { Behaviour } from '../../src/balancer/behaviour.ts';
import type { NetworkKind } from '../../src/lab/spec/lab-spec.ts';
import { dial, tally, untilInRotation, wireLab } from '../support/balancer-lab.ts';

const tries = 30;
const check = { protocol: 'https', intervalMs: 500, timeoutMs: 2_000, rise: 1, fall: 3 } as const;

/** Who answered, from each class of client, in 30 tries each. Three masters that see the same are one line. */
async function outcomes(
  behaviour: Behaviour,
  masters: number,
  ip: '4' | '6',
  kind: NetworkKind | undefined,
): Promise<Record<string, string>> {
  await using lab = await wireLab({
    name: `bal-${behaviour}-${masters}-${ip}`,
    masters,
    workers: 1,
    clients: 1,
    ip,
    network: { kind },
    balancer: { like: behaviour, healthCheck: check },
  });
  const names = Array.from({ length: masters }, (_, i) => `m${i + 1}`);
  await untilInRotation(lab, names);
  const seen: Record<string, string> = {};
  for (const name of names) seen[name] = tally(await dial(lab, name, { tries }));
  for (const name of names) seen[`pod on ${name}`] = tally(await dial(lab, `${name}-pod`, { tries }));
  seen.worker = tally(await dial(lab, 'w1', { tries }));
  seen['pod on worker'] = tally(await dial(lab, 'w1-pod', { tries }));
  seen['outside client'] = tally(await dial(lab, 'c1', { tries }));
  return seen;
}

const spread = 'm1 10, m2 10, m3 10';
const lost = 'timeout 30';

/** The matrix of the issue: behaviour × client class × number of backends. */
const one = {
  drop: { m1: lost, 'pod on m1': lost, worker: 'm1 30', 'pod on worker': 'm1 30', 'outside client': 'm1 30' },
  works: { m1: 'm1 30', 'pod on m1': 'm1 30', worker: 'm1 30', 'pod on worker': 'm1 30', 'outside client': 'm1 30' },
  local: { m1: 'm1 30', 'pod on m1': 'm1 30', worker: 'm1 30', 'pod on worker': 'm1 30', 'outside client': 'm1 30' },
  'one-arm': { m1: lost, 'pod on m1': lost, worker: lost, 'pod on worker': lost, 'outside client': 'm1 30' },
  proxy: { m1: 'm1 30', 'pod on m1': 'm1 30', worker: 'm1 30', 'pod on worker': 'm1 30', 'outside client': 'm1 30' },
} as const satisfies Record<Behaviour, Record<string, string>>;

const three = {
  drop: {
    m1: 'm2 10, m3 10, timeout 10',
    m2: 'm1 10, m3 10, timeout 10',
    m3: 'm1 10, m2 10, timeout 10',
    'pod on m1': 'm2 10, m3 10, timeout 10',
    'pod on m2': 'm1 10, m3 10, timeout 10',
    'pod on m3': 'm1 10, m2 10, timeout 10',
    worker: spread,
    'pod on worker': spread,
    'outside client': spread,
  },
  works: everybody(() => spread, spread),
  local: everybody((name) => `${name} 30`, spread),
  'one-arm': { ...everybody(() => lost, lost), 'outside client': spread },
  proxy: everybody(() => spread, spread),
} as const satisfies Record<Behaviour, Record<string, string>>;

describe('what each client class gets through the balancer', () => {
  test.each([...rows(one, 1, '4'), ...rows(three, 3, '4'), ...rows(three, 3, '6')])(
    '$behaviour, $masters backend(s), IPv$ip',
    async ({ behaviour, masters, ip, expected }) => {
      expect(await outcomes(behaviour, masters, ip, undefined)).toEqual(expected);
    },
  );

  // LVS-DR is `local` on a segment; a balancer that uses its own address works wherever it is.
  test.each(['local', 'works', 'proxy'] as const)('%s on a segment, 3 backends, IPv4', async (behaviour) => {
    expect(await outcomes(behaviour, 3, '4', 'segment')).toEqual(three[behaviour]);
  });
});

function everybody(master: (name: string) => string, others: string): Record<string, string> {
  const names = ['m1', 'm2', 'm3'];
  return {
    ...Object.fromEntries(names.map((name) => [name, master(name)])),
    ...Object.fromEntries(names.map((name) => [`pod on ${name}`, master(name)])),
    worker: others,
    'pod on worker': others,
    'outside client': others,
  };
}

function rows(table: Record<Behaviour, Record<string, string>>, masters: number, ip: '4' | '6') {
  return (Object.keys(table) as Behaviour[]).map((behaviour) => ({
    behaviour,
    masters,
    ip,
    expected: table[behaviour],
  }));
}
