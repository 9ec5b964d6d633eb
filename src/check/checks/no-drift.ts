import type { Check } from '../check.ts';

/** The plan is the drift: what a run would do now is what is not as it should be. */
export const noDrift: Check = {
  name: 'no-drift',
  title: 'files, units and addresses are as the spec and the strategy want them',
  fromFacts: true,
  ask: async ({ plan }) => {
    const changes = plan.steps.filter((step) => step.kind !== 'hold');
    if (changes.length === 0) return { is: 'ok', saw: `strategy ${plan.strategy.name}` };
    const shown = changes.slice(0, 3).map((step) => `${step.id} (${step.because})`);
    const more = changes.length > shown.length ? ` and ${changes.length - shown.length} more` : '';
    return { is: 'not-ok', want: 'nothing that `hairpin up` would change', saw: `${shown.join(', ')}${more}` };
  },
};
