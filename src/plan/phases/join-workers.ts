import type { Phase } from '../context.ts';
import { readyForJoins } from '../ids.ts';
import { planWanted, workersMayJoinMeanwhile } from '../reach.ts';
import { planJoin } from './join.ts';

/** Joins all workers at once; also while masters join, where etcd keeps its quorum meanwhile. */
export const joinWorkers: Phase = {
  name: 'join-workers',
  summary: 'join the workers, together',
  plan(cx) {
    const { cluster, steps } = cx;
    const lastMaster = cluster.places
      .filter(({ part, node }) => part === 'follower' && cluster.state(node) !== 'member')
      .flatMap(({ node }) => steps.lastOf(node.name))
      .slice(-1);
    const needs = [...readyForJoins(steps, cluster), ...(workersMayJoinMeanwhile(cx) ? [] : lastMaster)];
    for (const place of cluster.places) {
      if (place.part !== 'worker' || cluster.state(place.node) === 'member') continue;
      planJoin(cx, place, 'join-workers', needs);
      planWanted(cx, place, 'after', { phase: 'join-workers' });
    }
  },
};
