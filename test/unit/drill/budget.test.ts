import { expect, test } from 'vitest';
import { scenarioNamed } from '../../../src/drill/run/plan.ts';
import { budgetFor, type Predictable } from '../../../src/drill/scenario/budget.ts';

const healthCheck = { protocol: 'tcp', path: '/readyz', intervalMs: 2000, timeoutMs: 5000, rise: 3, fall: 3 } as const;
const behindDrop = (variant: Predictable['variant']): Predictable => ({
  variant,
  balancer: { behaviour: 'drop', healthCheck },
});
const clients = [
  { name: 'm1', on: 'm1' },
  { name: 'm1-pod', on: 'm1' },
  { name: 'm2', on: 'm2' },
  { name: 'w1', on: 'w1' },
  { name: 'outside' },
];
const of = (name: string, predictable: Predictable | undefined, target = 'm1') =>
  budgetFor(scenarioNamed(name), { predictable, clients, masters: ['m1', 'm2', 'm3'], target }).clients;

test('steer is tight for masters and their pods; who dials the balancer has its detection and a slack of 0.5 s', () => {
  expect(of('apiserver-killed', behindDrop('steer'))).toEqual({
    '*': { allGoodAfterMs: 13_000, outageMs: 13_000, stuck: 0 },
    m1: { failed: 2, stuck: 0 },
    'm1-pod': { failed: 2, stuck: 0 },
    m2: { failed: 2, stuck: 0 },
    // 3 × 2 s: a refused check fails at once.
    w1: { allGoodAfterMs: 6500, stuck: 0 },
    outside: { allGoodAfterMs: 6500, stuck: 0 },
  });
});

test('what a TCP check never notices has no limit for those who rely on it, and no mercy for the others', () => {
  expect(of('apiserver-frozen', behindDrop('steer'))).toMatchObject({
    m1: { allGoodAfterMs: 2800, stuck: 0 },
    m2: { failed: 0 },
    w1: {},
    outside: {},
  });
});

test('a strategy that knows no other apiserver is not over its budget when its own is gone', () => {
  expect(of('apiserver-killed', behindDrop('bind-vip'))).toMatchObject({ m1: {}, m2: { failed: 2 } });
});

test('nobody can reckon a rolling reboot: the scenario says', () => {
  expect(of('rolling-reboot', behindDrop('steer'), 'cluster')).toEqual({ '*': { stuck: 0 } });
});

test('nothing is known of the site: the scenario says', () => {
  expect(of('balancer-down', undefined)).toEqual({ '*': { failed: 0, stuck: 0 } });
});
