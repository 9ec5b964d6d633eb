import { describe, expect, test } from 'vitest';
import type { BackendState } from '../../../src/agent/backend/backend.ts';
import { chooseBackends, holdsRefusals } from '../../../src/agent/backend/choose.ts';

const on = (self: string | undefined, states: Record<string, BackendState>, silent: readonly string[] = []) =>
  Object.entries(states).map(([name, state]) => ({ name, state, self: name === self, alive: !silent.includes(name) }));

describe('chooseBackends()', () => {
  test.each<{
    name: string;
    self: string | undefined;
    states: Record<string, BackendState>;
    silent?: string[];
    chosen: string[];
  }>([
    {
      name: 'a master takes itself while ready',
      self: 'm1',
      states: { m1: 'ready', m2: 'ready', m3: 'ready' },
      chosen: ['m1'],
    },
    {
      name: 'a master that is not ready takes all the others',
      self: 'm1',
      states: { m1: 'unready', m2: 'ready', m3: 'ready' },
      chosen: ['m2', 'm3'],
    },
    {
      name: 'suspicion of itself sends it elsewhere',
      self: 'm1',
      states: { m1: 'suspect', m2: 'ready', m3: 'suspect' },
      chosen: ['m2'],
    },
    {
      name: 'a worker spreads over the ready ones',
      self: undefined,
      states: { m1: 'ready', m2: 'failed', m3: 'ready' },
      chosen: ['m1', 'm3'],
    },
    {
      name: 'lost quorum: nobody is ready, the living keep their own',
      self: 'm2',
      states: { m1: 'unready', m2: 'unready', m3: 'unready' },
      chosen: ['m2'],
    },
    {
      name: 'draining and unknown take nothing',
      self: 'm1',
      states: { m1: 'draining', m2: 'unknown', m3: 'failed' },
      chosen: [],
    },
    {
      name: 'all late at once: nobody is thrown off',
      self: 'm1',
      states: { m1: 'suspect', m2: 'suspect', m3: 'suspect' },
      chosen: ['m1'],
    },
    {
      name: 'all silent for three seconds: the balancer',
      self: 'm1',
      states: { m1: 'suspect', m2: 'suspect', m3: 'failed' },
      silent: ['m1', 'm2', 'm3'],
      chosen: [],
    },
    {
      name: 'one that is not ready and in time goes before one that is late',
      self: 'm1',
      states: { m1: 'suspect', m2: 'unready', m3: 'suspect' },
      chosen: ['m2'],
    },
  ])('$name', ({ self, states, silent, chosen }) => {
    expect(chooseBackends(on(self, states, silent))).toEqual(chosen);
  });
});

test.each<{ states: Record<string, BackendState>; holds: boolean }>([
  { states: { m1: 'ready', m2: 'ready', m3: 'failed' }, holds: true },
  { states: { m1: 'ready', m2: 'failed', m3: 'failed' }, holds: false },
  { states: { m1: 'unready', m2: 'unready', m3: 'unready' }, holds: false },
  { states: { m1: 'ready', m2: 'suspect', m3: 'failed' }, holds: true },
])('holdsRefusals() with $states is $holds', ({ states, holds }) => {
  expect(holdsRefusals(on('m1', states))).toBe(holds);
});
