import { describe, expect, test } from 'vitest';
import type { DrillFault } from '../../../src/drill/faults/fault.ts';
import { planDrill, scenarioNamed } from '../../../src/drill/run/plan.ts';
import { scenarios } from '../../../src/drill/scenario/list.ts';

const fault = (name: string, more: Partial<DrillFault> = {}): DrillFault => ({
  name,
  summary: '',
  aimedAt: 'master',
  takesMembers: 'none',
  would: () => [],
  inject: async () => undefined,
  heal: async () => undefined,
  ...more,
});

const site = {
  name: 'lab a',
  masters: ['m1', 'm2', 'm3'],
  workers: ['w1'],
  faults: [
    fault('apiserver-killed'),
    fault('etcd-killed', { takesMembers: 'one' }),
    fault('etcd-leader-killed', { aimedAt: 'cluster', takesMembers: 'one' }),
    fault('node-off', { aimedAt: 'node', takesMembers: 'one' }),
    fault('vip-taken', { aimedAt: 'worker' }),
    fault('balancer-slow', { aimedAt: 'balancer' }),
    fault('all-masters-off', { aimedAt: 'cluster', takesMembers: 'all' }),
  ],
};

const targets = (name: string, node?: string) =>
  planDrill(site, scenarioNamed(name), { node }).acts.map((act) => [act.fault.name, act.target, act.afterMs]);

describe('planDrill()', () => {
  test.each([
    { name: 'apiserver-killed', acts: [['apiserver-killed', 'm1', 0]] },
    { name: 'node-off', acts: [['node-off', 'm3', 0]] },
    { name: 'vip-taken', acts: [['vip-taken', 'w1', 0]] },
    {
      name: 'balancer-slow',
      acts: [
        ['balancer-slow', 'balancer', 0],
        ['apiserver-killed', 'm1', 0],
      ],
    },
    {
      name: 'second-fault-node',
      acts: [
        ['apiserver-killed', 'm1', 0],
        ['node-off', 'm3', 8000],
      ],
    },
  ])('$name is done to whom its scenario says', ({ name, acts }) => expect(targets(name)).toEqual(acts));

  test('another node can be named, for the first fault', () => {
    expect(targets('second-fault-node', 'm2')).toEqual([
      ['apiserver-killed', 'm2', 0],
      ['node-off', 'm3', 8000],
    ]);
  });

  test.each([
    { name: 'vip-taken', node: 'm1', code: 'USAGE' },
    { name: 'apiserver-killed', node: 'w1', code: 'USAGE' },
    { name: 'haproxy-killed', node: undefined, code: 'DRILL_UNAVAILABLE' },
    { name: 'cold-start', node: undefined, code: 'DRILL_QUORUM' },
  ])('refuses $name of $node', ({ name, node, code }) => {
    expect(() => targets(name, node)).toThrow(expect.objectContaining({ code }));
  });

  test('of two masters none may go, of three one, and which one a fault of the cluster takes is not known before', () => {
    const leader = scenarioNamed('etcd-leader-killed');
    const two = { ...site, masters: ['m1', 'm2'] };
    expect(planDrill(site, leader, {}).acts.length).toBe(1);
    expect(() => planDrill(two, leader, {})).toThrow(expect.objectContaining({ code: 'DRILL_QUORUM' }));
    expect(planDrill(two, leader, { acceptQuorumLoss: true }).acts.length).toBe(1);
    const both = { ...leader, faults: ['etcd-leader-killed', 'node-off'] as const, others: ['last-master'] as const };
    expect(() => planDrill(site, both, {})).toThrow(expect.objectContaining({ code: 'DRILL_QUORUM' }));
  });

  test('no two drills have one name', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });
});
