import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignedDelay } from '../../../src/agent/aligned.ts';

test.each([
  { at: 0, everyMs: 100, delay: 100 },
  { at: 30, everyMs: 100, delay: 70 },
  { at: 50, everyMs: 100, delay: 50 },
  { at: 51, everyMs: 100, delay: 149 },
  { at: 99.7, everyMs: 100, delay: 100.3 },
])('at $at every $everyMs: $delay', ({ at, everyMs, delay }) => {
  expect(alignedDelay(at, everyMs)).toBeCloseTo(delay, 6);
});

test('whenever it is, the next turn is a multiple away by at least half and at most one and a half', () =>
  fc.assert(
    fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 60_000 }), (at, everyMs) => {
      const delay = alignedDelay(at, everyMs);
      expect((at + delay) % everyMs).toBe(0);
      expect(delay).toBeGreaterThanOrEqual(everyMs / 2);
      expect(delay).toBeLessThan(everyMs * 1.5);
    }),
  ));
