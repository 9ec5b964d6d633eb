import type { StepList } from './builder.ts';
import type { ClusterState } from './cluster.ts';
import type { StepId } from './step.ts';

/** Slugs of the steps that other phases wait for. */
export const slugs = {
  ca: 'kubeadm-ca',
  init: 'kubeadm-init',
  credentials: 'join-credentials',
  join: 'kubeadm-join',
  manifest: 'apply-cni',
} as const;

/**
 * `write/etc/hosts`: what is done, and to what. The same text each time, so that its hash is worked out once and not for
 * each of 5,000 nodes; there are as many as hairpin knows files and units.
 */
export function slugOf(verb: string, what: string): string {
  const slugsOfVerb = made.get(verb) ?? new Map<string, string>();
  made.set(verb, slugsOfVerb);
  const slug = slugsOfVerb.get(what) ?? verb + what;
  slugsOfVerb.set(what, slug);
  return slug;
}

const made = new Map<string, Map<string, string>>();

/** What every join waits for on the leader's side: init, or fresh credentials of a cluster that exists. */
export function readyForJoins(steps: StepList, cluster: ClusterState): readonly StepId[] {
  const leader = cluster.leader.name;
  return [`${leader}/${slugs.init}`, `${leader}/${slugs.credentials}`].filter((id) => steps.has(id));
}
