import type { CheckResult } from './probe.ts';

/**
 * Checks one backend at a fixed rate: a check starts every interval, whether or not the one before has ended, so that
 * `fall` failures are known after interval × fall + timeout even where the timeout is longer than the interval.
 *
 * The phase is kept from the first check to the last. Until the first success it looks more often, since how long a
 * new backend takes to be noticed is nothing that a lab should wait for.
 */
export function startChecker(
  intervalMs: number,
  run: () => Promise<CheckResult>,
  report: (result: CheckResult, at: number) => void,
): { known(): void; stop(): void } {
  let stopped = false;
  let lastPassStarted = 0;
  let lastPassEnded = 0;
  const once = async () => {
    const started = performance.now();
    const at = Date.now();
    const result = await run();
    // A failure that comes to light after a later check has passed says nothing new. Nor do the checks that were
    // waiting all at once when the backend came back: together they are one success, not `rise` of them.
    if (stopped || started < (result.passed ? lastPassEnded : lastPassStarted)) return;
    if (result.passed) {
      lastPassStarted = started;
      lastPassEnded = performance.now();
    }
    report(result, at);
  };
  const regular = setInterval(() => void once(), intervalMs);
  const eager = intervalMs > eagerMs ? setInterval(() => void once(), eagerMs) : undefined;
  void once();
  return {
    known: () => clearInterval(eager),
    stop: () => {
      stopped = true;
      clearInterval(regular);
      clearInterval(eager);
    },
  };
}

const eagerMs = 200;
