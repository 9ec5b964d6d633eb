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

/** What every join waits for on the leader's side: init, or fresh credentials of a cluster that exists. */
export function readyForJoins(steps: StepList, cluster: ClusterState): readonly StepId[] {
  const leader = cluster.leader.name;
  return [`${leader}/${slugs.init}`, `${leader}/${slugs.credentials}`].filter((id) => steps.has(id));
}
