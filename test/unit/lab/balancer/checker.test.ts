import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startChecker } from '../../../../src/lab/balancer/checker.ts';
import type { CheckResult } from '../../../../src/lab/balancer/probe.ts';

const passed: CheckResult = { passed: true, ms: 0, problem: undefined };
const failed: CheckResult = { passed: false, ms: 0, problem: 'no' };

/** Checks whose answers the test gives out by hand, in the order in which they were asked for. */
function byHand(intervalMs: number) {
  const waiting: ((result: CheckResult) => void)[] = [];
  const seen: boolean[] = [];
  const checker = startChecker(
    intervalMs,
    () => new Promise((resolve) => waiting.push(resolve)),
    (result) => seen.push(result.passed),
  );
  return { waiting, seen, checker };
}

test('startChecker() starts a check every interval, whether or not the one before has ended', async () => {
  const { waiting, checker } = byHand(50);
  await sleep(225);
  checker.stop();
  expect(waiting.length).toBeGreaterThanOrEqual(4);
});

test('startChecker() counts checks that were waiting when the backend came back as one success', async () => {
  const { waiting, seen, checker } = byHand(40);
  await sleep(130);
  for (const answer of waiting.splice(0)) answer(passed);
  await sleep(0);
  expect(seen).toEqual([true]);
  await sleep(60);
  for (const answer of waiting.splice(0)) answer(passed);
  await sleep(0);
  checker.stop();
  expect(seen).toEqual([true, true]);
});

test('startChecker() ignores a failure that a later success has overtaken, and not one that none has', async () => {
  const { waiting, seen, checker } = byHand(40);
  await sleep(60);
  const [first, second] = waiting;
  second?.(passed);
  await sleep(0);
  first?.(failed);
  await sleep(60);
  waiting.at(-1)?.(failed);
  await sleep(0);
  checker.stop();
  expect(seen).toEqual([true, false]);
});

test('startChecker() reports nothing after it was stopped', async () => {
  const { waiting, seen, checker } = byHand(40);
  checker.stop();
  for (const answer of waiting) answer(passed);
  await sleep(60);
  expect([seen, waiting.length]).toEqual([[], 1]);
});
