import type { Phase, PlanContext } from '../context.ts';
import { estimates } from '../estimates.ts';
import { readyForJoins } from '../ids.ts';
import { planWanted } from '../reach.ts';
import type { StepId } from '../step.ts';
import { planJoin } from './join.ts';

/**
 * Joins the other masters one at a time: etcd takes one new member at once, and the next join must not start before the
 * last member votes. Each gets what the strategy wants of a joined master right after its own join, not before: a
 * follower that means itself by the endpoint cannot join.
 */
export const joinMasters: Phase = {
  name: 'join-masters',
  summary: 'join the other masters, one at a time',
  plan(cx) {
    const { cluster, steps } = cx;
    const followers = cluster.places.filter(
      ({ part, node }) => part === 'follower' && cluster.state(node) !== 'member',
    );
    let voters = cluster.masters.filter((node) => cluster.state(node) === 'member').length;
    if (!cluster.exists) voters = 1;
    const ready = readyForJoins(steps, cluster);
    let after: readonly StepId[] = [];
    for (const place of followers) {
      const name = place.node.name;
      planJoin(cx, place, 'join-masters', [...ready, ...after]);
      voters += 1;
      planWanted(cx, place, 'after', { phase: 'join-masters' });
      if (!hasExternalEtcd(cx)) {
        steps.add(name, 'join-masters', {
          kind: 'hold',
          slug: 'hold-etcd-voters',
          check: { is: 'etcd-voters', count: voters },
          deadlineMs: 120_000,
          because: 'the next master must not join before this one votes',
          estimateMs: estimates.hold,
        });
      }
      after = steps.lastOf(name);
    }
  },
};

function hasExternalEtcd({ spec }: PlanContext): boolean {
  return spec.kubeadm.documents.some((document) => {
    const { etcd } = document as { readonly etcd?: unknown };
    return typeof etcd === 'object' && etcd !== null && 'external' in etcd;
  });
}
