import { expect, test } from 'vitest';
import { offsetFrom, translator } from '../../../src/drill/history/clock.ts';

test('the quickest round trip decides, and its half is the error', () => {
  const samples = [
    { sentAt: 100, theirs: 1150, receivedAt: 180 },
    { sentAt: 200, theirs: 1201, receivedAt: 204 },
    { sentAt: 300, theirs: 1390, receivedAt: 400 },
  ];
  expect(offsetFrom(samples)).toEqual({ at: 202, offsetMs: -999, errorMs: 2 });
  expect(offsetFrom([])).toBeUndefined();
});

test('drift between two estimates is spread evenly', () => {
  const ours = translator({ at: 1000, offsetMs: -500, errorMs: 1 }, { at: 2000, offsetMs: -490, errorMs: 1 });
  expect([1500, 2000, 2490].map(ours)).toEqual([1000, 1505, 1999.9]);
});

test('one estimate moves everything alike', () => {
  expect([0, 10].map(translator({ at: 1000, offsetMs: 5, errorMs: 1 }))).toEqual([5, 15]);
});
