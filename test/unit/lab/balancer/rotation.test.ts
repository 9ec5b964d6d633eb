import { describe, expect, test } from 'vitest';
import { type BackendState, isIn, rotationOf } from '../../../../src/lab/balancer/rotation.ts';

const backend = (name: string, change: Partial<BackendState> = {}): BackendState => ({
  name,
  health: 'healthy',
  forced: undefined,
  weight: 1,
  ...change,
});

describe('rotationOf()', () => {
  test.each([
    {
      name: 'healthy backends are in',
      backends: [backend('m1'), backend('m2', { health: 'unhealthy' })],
      allDown: 'refuse',
      want: 'm1',
    },
    {
      name: 'a new backend is not in before it has passed',
      backends: [backend('m1', { health: 'initial' }), backend('m2')],
      allDown: 'refuse',
      want: 'm2',
    },
    {
      name: 'a hand overrules a good check',
      backends: [backend('m1', { forced: 'out' }), backend('m2')],
      allDown: 'refuse',
      want: 'm2',
    },
    {
      name: 'a hand overrules a bad check',
      backends: [backend('m1', { forced: 'in', health: 'unhealthy' })],
      allDown: 'refuse',
      want: 'm1',
    },
    {
      name: 'a weight of 0 is out',
      backends: [backend('m1', { weight: 0 }), backend('m2', { weight: 3 })],
      allDown: 'refuse',
      want: 'm2×3',
    },
    {
      name: 'nobody healthy, refuse: nobody',
      backends: [backend('m1', { health: 'unhealthy' })],
      allDown: 'refuse',
      want: '',
    },
    {
      name: 'nobody healthy, all: everybody',
      backends: [backend('m1', { health: 'unhealthy' }), backend('m2', { health: 'initial' })],
      allDown: 'all',
      want: 'm1 m2 (fail open)',
    },
    {
      name: 'all does not mean one that a hand took out',
      backends: [backend('m1', { health: 'unhealthy' }), backend('m2', { forced: 'out' })],
      allDown: 'all',
      want: 'm1 (fail open)',
    },
    {
      name: 'everybody taken out by hand: nobody, whatever the policy',
      backends: [backend('m1', { forced: 'out' })],
      allDown: 'all',
      want: '',
    },
  ] as const)('$name', ({ backends, allDown, want }) => {
    const rotation = rotationOf(backends, allDown);
    const shown = rotation.targets.map(({ target, weight }) => (weight === 1 ? target : `${target}×${weight}`));
    expect(`${shown.join(' ')}${rotation.failOpen ? ' (fail open)' : ''}`).toBe(want);
    expect(backends.filter((b) => isIn(rotation, b.name)).length).toBe(rotation.targets.length);
  });
});
