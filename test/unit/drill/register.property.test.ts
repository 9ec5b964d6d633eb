import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Operation } from '../../../src/drill/history/record.ts';
import { judgeRegister } from '../../../src/drill/judge/register.ts';
import { did } from '../../support/history.ts';

// The zones decide in n log n what a search over all orders decides by trying: both must say the same.

const someOperation = fc.record({
  startedAt: fc.integer({ min: 1, max: 12 }),
  lasts: fc.integer({ min: 1, max: 6 }),
  writes: fc.boolean(),
  reads: fc.integer({ min: 0, max: 4 }),
  unknown: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
});

const someHistory = fc.array(someOperation, { minLength: 1, maxLength: 6 }).map((parts) => {
  const values = ['v0', ...parts.flatMap((part, i) => (part.writes ? [`w${i}`] : []))];
  return parts.map((part, i) => {
    // Ends between starts: no two moments are the same, so before and after are never a matter of taste.
    const endedAt = part.startedAt + part.lasts + 0.5 + i / 100;
    const startedAt = part.startedAt + i / 100;
    return part.writes
      ? did('r', { op: 'write', value: `w${i}` }, startedAt, endedAt, part.unknown ? 'unknown' : 'ok')
      : did('r', { op: 'read', value: values[part.reads % values.length] ?? 'v0' }, startedAt, endedAt);
  });
});

test('says the same as a search over all orders', () => {
  fc.assert(
    fc.property(someHistory, (history) => {
      expect(judgeRegister('r', history).length === 0).toBe(hasOrder(history));
    }),
    { numRuns: 3000 },
  );
});

/** Tries every order that respects time; an unanswered write may be left out and may come at any time after its start. */
function hasOrder(history: readonly Operation[], value = 'v0'): boolean {
  const must = history.filter((o) => o.result === 'ok');
  if (must.length === 0) return true;
  const firstEnd = Math.min(...must.map((o) => o.endedAt));
  return history.some((next) => {
    if (next.startedAt > firstEnd) return false;
    if (next.does.op === 'read' && next.does.value !== value) return false;
    const rest = history.filter((o) => o !== next);
    return hasOrder(rest, next.does.op === 'write' ? next.does.value : value);
  });
}
