import { describe, expect, test } from 'vitest';
import type { LabInput } from '../../../src/lab/spec/input.ts';
import { placeStrategy, type StrategyForm } from '../../../src/lab/strategy/place.ts';
import { parseUnit } from '../../../src/lab/strategy/unit-file.ts';
import { agentUnits } from '../../../src/render/agent/paths.ts';
import { unitPath } from '../../../src/render/systemd/unit.ts';
import { labSpec } from '../../support/lab-spec.ts';

const haproxy = { endpoint: { port: 9443 } } as const;
const forms: readonly { name: string; input: LabInput; form: StrategyForm; units: readonly string[] }[] = [
  {
    name: 'steer',
    input: {},
    form: { strategy: { name: 'steer', workers: false } },
    units: [agentUnits.podsSocket, agentUnits.pods, agentUnits.steerer, agentUnits.agent, agentUnits.mirror],
  },
  {
    name: 'steer-static',
    input: {},
    form: { strategy: { name: 'steer', workers: false }, static: true },
    units: ['hairpin-steer.service'],
  },
  { name: 'bind-vip', input: {}, form: { strategy: { name: 'bind-vip' } }, units: ['hairpin-vip.service'] },
  {
    name: 'keepalived-haproxy',
    input: { ...haproxy, balancer: { like: 'alibaba-clb', backendPort: 9443 } },
    form: { strategy: { name: 'keepalived-haproxy', vrrp: 'unicast', port: 9443 } },
    units: ['hairpin-haproxy.service', 'hairpin-keepalived.service'],
  },
  {
    name: 'keepalived-vip',
    input: { ...haproxy, balancer: 'works', network: { kind: 'segment' } },
    form: {
      strategy: { name: 'keepalived-vip', interface: undefined, routerId: 51, port: 9443 },
      noBalancer: true,
    },
    units: ['hairpin-haproxy.service', 'hairpin-keepalived.service'],
  },
];

describe('what the lab understands of rendered units', () => {
  test.each(forms)('$name', async ({ name, input, form, units }) => {
    const { wanted, unsuitable } = placeStrategy(labSpec({ tier: 'wire', ...input }), form, 'f00d');
    expect(unsuitable).toBeUndefined();
    const files = wanted.get('m1')?.files ?? [];
    const parsed = units.map((unit) => {
      const file = files.find(({ path }) => path === unitPath(unit));
      return [unit, parseUnit(file?.content ?? '')];
    });
    await expect(`${JSON.stringify(parsed, undefined, 1)}\n`).toMatchFileSnapshot(
      `../../golden/lab/units-${name}.json`,
    );
    // A quote that is left in a word would be handed to the program.
    expect(JSON.stringify(parsed)).not.toMatch(/\\"/);
  });
});

test('a strategy that does not fit says why, and is not rendered where it cannot be', () => {
  const form: StrategyForm = { strategy: { name: 'bind-vip' } };
  const { unsuitable, wanted } = placeStrategy(labSpec({ tier: 'wire', balancer: 'aws-nlb' }), form, 'f00d');
  expect([unsuitable?.code, wanted.size]).toEqual(['ENDPOINT_HAS_NO_VIP', 0]);
  const direct = placeStrategy(labSpec({ tier: 'wire' }), { strategy: { name: 'direct' } }, 'f00d');
  expect([direct.unsuitable?.code, direct.wanted.size]).toEqual(['DIRECT_NO_HAIRPIN', 4]);
});
