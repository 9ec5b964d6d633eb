import type { Step, StepId } from '../plan/step.ts';

/**
 * How long the rest of a plan takes: the longest chain of what has not ended. `elapsed` is how long each running step has
 * been at it; a step that is late counts as ending now.
 */
export function remainingMs(
  steps: readonly Step[],
  done: ReadonlySet<StepId>,
  elapsed: ReadonlyMap<StepId, number>,
): number {
  const endsAt = new Map<StepId, number>();
  let longest = 0;
  for (const step of steps) {
    const starts = Math.max(0, ...step.needs.map((id) => endsAt.get(id) ?? 0));
    const left = done.has(step.id) ? 0 : Math.max(0, step.estimateMs - (elapsed.get(step.id) ?? 0));
    const ends = starts + left;
    endsAt.set(step.id, ends);
    longest = Math.max(longest, ends);
  }
  return longest;
}
