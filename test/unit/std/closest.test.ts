import fc from 'fast-check';
import { expect, test } from 'vitest';
import { closest, editDistance } from '../../../src/std/closest.ts';

test('closest() finds what was meant, and nothing when nothing is near', () => {
  const known = ['kubernetes', 'endpoint', 'nodes', 'ssh', 'worker', 'control-plane'];
  expect(
    ['kubernets', 'endpiont', 'node', 'wroker', 'ControlPlane', 'xyz', 'shs'].map((word) => closest(word, known)),
  ).toEqual(['kubernetes', 'endpoint', 'nodes', 'worker', 'control-plane', undefined, 'ssh']);
});

test('editDistance() is a symmetric distance of at most the longer length', () =>
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  ));
