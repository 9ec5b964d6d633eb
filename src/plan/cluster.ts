import type { Etcd } from '../facts/types.ts';
import { controlPlaneNodes, type Spec, type SpecNode, workerNodes } from '../spec/spec.ts';
import type { Place } from '../strategy/strategy.ts';
import { type FactsView, known } from './view.ts';

/** `half`: kubeadm stopped in between there, and neither goes on nor starts over by itself. */
export type NodeState = 'new' | 'half' | 'member';

/** Where the cluster stands: who is in it already, who leads, who has to be made. */
export interface ClusterState {
  /** The master that runs init; when there are masters already, the first of them. */
  readonly leader: SpecNode;
  /** Some master is complete, so nothing is initialised. */
  readonly exists: boolean;
  readonly masters: readonly SpecNode[];
  readonly places: readonly Place[];
  state(node: SpecNode): NodeState;
  /** As the first complete master sees it. */
  readonly etcd: Etcd | undefined;
  /** Names of the Node objects that exist. */
  readonly registered: ReadonlySet<string>;
  /** Ready Node objects; `undefined` when no apiserver could be asked. */
  readonly ready: ReadonlySet<string> | undefined;
}

export function clusterState(spec: Spec, view: FactsView): ClusterState {
  const masters = controlPlaneNodes(spec);
  const complete = masters.filter((node) => view.node(node.name).phase === 'control-plane');
  const leader = complete[0] ?? masters[0];
  if (leader === undefined) throw new TypeError('A spec has at least one control-plane node');
  const places = [
    ...masters.map((node, index): Place => ({ node, index, part: node.name === leader.name ? 'leader' : 'follower' })),
    ...workerNodes(spec).map((node, index): Place => ({ node, index, part: 'worker' })),
  ];
  const apis = complete.map((node) => known(view.node(node.name).facts?.api)).filter((api) => api !== undefined);
  const etcds = complete.map((node) => known(view.node(node.name).facts?.etcd)).filter((etcd) => etcd !== undefined);
  const nodes = apis[0]?.nodes;
  return {
    leader,
    exists: complete.length > 0,
    masters,
    // The leader first, wherever the spec has it: everything else waits for it.
    places: [...places.filter((p) => p.part === 'leader'), ...places.filter((p) => p.part !== 'leader')],
    state(node) {
      const { phase } = view.node(node.name);
      if (phase === 'half-init' || phase === 'half-join') return 'half';
      return phase === 'nothing' ? 'new' : 'member';
    },
    etcd: etcds[0],
    registered: new Set(nodes?.map((node) => node.name)),
    ready: nodes === undefined ? undefined : new Set(nodes.filter((node) => node.ready).map((node) => node.name)),
  };
}
