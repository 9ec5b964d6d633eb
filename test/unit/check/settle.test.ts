import { expect, test } from 'vitest';
import type { Verdict } from '../../../src/check/ask/question.ts';
import type { Check, CheckContext } from '../../../src/check/check.ts';
import { runChecksOnceSettled, settlePauseMs } from '../../../src/check/settle.ts';
import type { Spec } from '../../../src/spec/spec.ts';

const cx = { signal: new AbortController().signal } as CheckContext;
const ok: Verdict = { is: 'ok', saw: '30 of 30' };
const bad: Verdict = { is: 'not-ok', want: '30 of 30', saw: 'm1 24 of 30' };

/** Gives these verdicts one after the other, the last one for ever. */
function scripted(name: string, verdicts: readonly Verdict[], more: Partial<Check> = {}) {
  let asked = 0;
  const check: Check = {
    name,
    title: name,
    ask: async () => {
      asked += 1;
      return verdicts[Math.min(asked, verdicts.length) - 1] ?? ok;
    },
    ...more,
  };
  return { check, asked: () => asked };
}

test('what is not ok is asked again, at most three times in all; what was seen first stays in sight', async () => {
  const well = scripted('well', [ok]);
  const late = scripted('late', [bad, ok]);
  const broken = scripted('broken', [bad], { heavy: true });
  const fact = scripted('fact', [bad], { fromFacts: true });
  const all = [well, late, broken, fact];
  const results = await runChecksOnceSettled(
    all.map(({ check }) => check),
    cx,
    { pauseMs: 1 },
  );
  expect(results.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['well', ok],
    ['late', { is: 'ok', saw: '30 of 30; at first: m1 24 of 30' }],
    ['broken', bad],
    ['fact', bad],
  ]);
  expect(all.map(({ asked }) => asked())).toEqual([1, 2, 3, 1]);
});

test('the pause is what health checks need, within bounds', () => {
  const pause = (healthCheck?: object) => settlePauseMs({ balancer: { healthCheck } } as unknown as Spec);
  const check = (intervalMs: number) => ({ intervalMs, timeoutMs: 1000, rise: 3, fall: 3 });
  expect([pause(), pause(check(500)), pause(check(2000)), pause(check(10_000))]).toEqual([5000, 5000, 13_000, 30_000]);
});
