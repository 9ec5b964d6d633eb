import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { beatMs, isDue, startBeat } from '../../../src/agent/beat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('who comes at each beat and at some of them, until he has had enough', async () => {
  using beat = startBeat(() => performance.now());
  const start = performance.now();
  const seen: string[] = [];
  const note = (who: string) => () => void seen.push(`${who} ${performance.now() - start}`);
  const end = beat.each(note('each'));
  beat.every(250, note('250'));
  await vi.advanceTimersByTimeAsync(350);
  end();
  await vi.advanceTimersByTimeAsync(600);
  expect(seen).toEqual(['each 100', 'each 200', 'each 300', '250 300', '250 600', '250 900']);
});

test('after a pause of the process one turn and not all that were missed', async () => {
  let at = 0;
  using beat = startBeat(() => at);
  let turns = 0;
  beat.every(200, () => {
    turns += 1;
  });
  at = 60_000;
  await vi.advanceTimersByTimeAsync(beatMs);
  at += beatMs;
  await vi.advanceTimersByTimeAsync(beatMs);
  expect(turns).toBe(1);
});

test('a disposed one is silent', async () => {
  const beat = startBeat(() => performance.now());
  let turns = 0;
  beat.each(() => {
    turns += 1;
  });
  beat[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(1000);
  expect(turns).toBe(0);
});

test('turns of any distance come at the nearest beat, also where beats come late', () =>
  fc.assert(
    fc.property(fc.integer({ min: beatMs, max: 60_000 }), fc.array(fc.nat(20), { minLength: 1 }), (everyMs, late) => {
      let at = 0;
      let last = 0;
      for (let i = 0; i < 1000; i += 1) {
        at += beatMs + (late[i % late.length] ?? 0);
        if (!isDue(at, last, everyMs)) continue;
        expect(Math.abs(at - last - everyMs)).toBeLessThanOrEqual(beatMs / 2 + 20);
        last = at;
      }
    }),
  ));
