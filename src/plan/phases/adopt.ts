import type { Phase } from '../context.ts';
import { planWanted } from '../reach.ts';
import type { StepId } from '../step.ts';

/**
 * Gives nodes that are in the cluster what the strategy wants and they do not have: adopted clusters, nodes whose run was
 * killed right after joining, files that somebody changed. Masters one after the other, so that a mistake hits one;
 * workers together, after them.
 */
export const adopt: Phase = {
  name: 'adopt',
  summary: 'give members of the cluster what the strategy wants',
  plan(cx) {
    const members = cx.cluster.places.filter(({ node }) => cx.cluster.state(node) === 'member');
    let after: readonly StepId[] = [];
    for (const place of members.filter(({ part }) => part !== 'worker')) {
      const before = cx.steps.lastOf(place.node.name)[0];
      planWanted(cx, place, 'settled', { phase: 'adopt', alsoNeeds: after });
      const last = cx.steps.lastOf(place.node.name);
      if (last[0] !== before) after = last;
    }
    for (const place of members.filter(({ part }) => part === 'worker')) {
      planWanted(cx, place, 'settled', { phase: 'adopt', alsoNeeds: after });
    }
  },
};
