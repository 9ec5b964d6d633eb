import type { Step } from '../plan/step.ts';
import { stepTitle } from '../plan/step-title.ts';

/** What a step does, for a line of progress: `m2 kubeadm join`, `m1 run pull images`. Why it does so is in the plan. */
export function titleOf(step: Step): string {
  return `${step.node} ${step.kind === 'run' ? 'run ' : ''}${stepTitle(step)}`;
}
