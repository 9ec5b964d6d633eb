import fc from 'fast-check';
import { expect, test } from 'vitest';
import { worstCase } from '../../../src/balancer/timing.ts';
import { detectionMs } from '../../../src/spec/timing.ts';

test('the spec reckons the time to ejection as the balancer room does', () => {
  const check = fc.record({
    intervalMs: fc.integer({ min: 1, max: 60_000 }),
    timeoutMs: fc.integer({ min: 1, max: 60_000 }),
    rise: fc.integer({ min: 1, max: 10 }),
    fall: fc.integer({ min: 1, max: 10 }),
  });
  fc.assert(
    fc.property(check, (numbers) => {
      expect(detectionMs({ ...numbers, protocol: 'tcp', path: '/' })).toBe(worstCase(numbers).ejectMs);
    }),
  );
});
