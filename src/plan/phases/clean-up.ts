import type { EtcdMember } from '../../facts/types.ts';
import {
  caConfigPath,
  credentialsConfigPath,
  initConfigPath,
  joinConfigPath,
  resetCommand,
} from '../../render/kubeadm/commands.ts';
import type { SpecNode } from '../../spec/spec.ts';
import { parseAddress } from '../../std/address.ts';
import type { Phase, PlanContext } from '../context.ts';
import { estimates } from '../estimates.ts';
import type { StepId } from '../step.ts';
import { known } from '../view.ts';

/**
 * Clears what a killed init or join left. kubeadm resumes neither: a half-made master is reset and made anew, and
 * etcd must forget its member first, while that member still runs (with two voters the removal needs both).
 */
export const cleanUp: Phase = {
  name: 'clean-up',
  summary: 'reset half-made nodes, remove their etcd members and Node objects',
  plan(cx) {
    for (const { node } of cx.cluster.places) {
      removeLeftSecrets(cx, node);
      if (cx.cluster.state(node) === 'half') resetHalf(cx, node);
      else if (cx.cluster.state(node) === 'new') forgetNode(cx, node);
    }
  },
};

/** Configuration with a token in it, of a run whose shell was killed as well. */
function removeLeftSecrets(cx: PlanContext, node: SpecNode): void {
  for (const path of [caConfigPath, initConfigPath, joinConfigPath, credentialsConfigPath]) {
    if (!cx.desk(node.name).exists(path)) continue;
    const because = 'left by a run that was killed; it holds a join token';
    cx.steps.add(node.name, 'clean-up', { kind: 'remove-file', slug: `remove${path}`, path, because });
    cx.desk(node.name).removed(path);
  }
}

function resetHalf(cx: PlanContext, node: SpecNode): void {
  const kubeadm = known(cx.view.node(node.name).facts?.kubeadm);
  const forgotten = forgetNode(cx, node);
  const isMaster = node.role === 'control-plane';
  const lost =
    isMaster && kubeadm?.etcdData === true
      ? cx.cluster.exists
        ? `${node.name}'s copy of the etcd data; the cluster keeps its own`
        : `the etcd data of ${node.name}, and with it everything that was in that cluster`
      : `what kubeadm had written on ${node.name}`;
  cx.warn({
    is: 'loss',
    code: 'HALF_MADE_NODE',
    node: node.name,
    text: `${node.name} was left half-made (${kubeadm?.because ?? 'unknown reason'}); it is reset, which loses ${lost}`,
  });
  cx.steps.add(node.name, 'clean-up', {
    kind: 'kubeadm-reset',
    slug: 'kubeadm-reset',
    argv: resetCommand(),
    lost,
    because: 'kubeadm does not go on where it was stopped',
    alsoNeeds: forgotten,
    estimateMs: estimates.kubeadmReset,
    undo: { is: 'nothing', because: 'what a reset deletes is gone' },
  });
}

/** Takes a node that is not in it out of the cluster's books: member of etcd, Node object. */
function forgetNode(cx: PlanContext, node: SpecNode): readonly StepId[] {
  const { cluster, steps } = cx;
  if (!cluster.exists) return [];
  const leader = cluster.leader.name;
  const ids: StepId[] = [];
  for (const member of cluster.etcd?.members ?? []) {
    if (!isMemberOf(member, node)) continue;
    ids.push(
      steps.add(leader, 'clean-up', {
        kind: 'remove-etcd-member',
        slug: `remove-etcd-member-${member.id}`,
        memberId: member.id,
        memberName: member.name,
        because: `${node.name} is made anew, and etcd still counts on what it was${member.learner ? ' (a learner)' : ''}`,
      }),
    );
  }
  if (cluster.registered.has(node.name)) {
    ids.push(
      steps.add(leader, 'clean-up', {
        kind: 'delete-node',
        slug: `delete-node-${node.name}`,
        name: node.name,
        because: `${node.name} is made anew, and kubeadm refuses the name of a node that exists`,
      }),
    );
  }
  return ids;
}

/** A member that was added and never started has no name, only the address of its peer URL. */
function isMemberOf(member: EtcdMember, node: SpecNode): boolean {
  if (member.name !== '') return member.name === node.name;
  const own = new Set(node.addresses.map((a) => a.text));
  return member.peerUrls.some((url) => {
    const host = URL.parse(url)?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
    return own.has(parseAddress(host)?.text ?? '');
  });
}
