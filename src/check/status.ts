import type { ClusterFacts, NodeFacts } from '../facts/types.ts';
import { routeText } from '../plan/describe.ts';
import type { Plan } from '../plan/plan.ts';
import type { Spec } from '../spec/spec.ts';
import { days } from './checks/certificates.ts';

/** Where a cluster stands, from facts alone: nothing is tried. `check` tries. */
export interface ClusterStatus {
  readonly cluster: string;
  readonly kubernetes: string;
  readonly strategy: string;
  readonly behaviour: string | undefined;
  readonly endpoint: string;
  readonly nodes: readonly NodeStatus[];
  readonly etcd: readonly { readonly name: string; readonly role: 'voter' | 'learner'; readonly started: boolean }[];
  /** Clients of which node reach the endpoint how, as things are meant to be. */
  readonly endpoints: readonly { readonly node: string; readonly client: string; readonly route: string }[];
  readonly firstExpiry: { readonly node: string; readonly path: string; readonly inWords: string } | undefined;
  /** Steps that `up` would carry out. */
  readonly pending: number;
  readonly blockers: readonly string[];
}

export interface NodeStatus {
  readonly name: string;
  readonly role: string;
  readonly address: string;
  /** `Ready`, `NotReady`, `absent` (not in the cluster), `half-made`, `unreachable`, `unknown`. */
  readonly state: string;
  readonly kubelet: string | undefined;
  readonly apiserver: 'ready' | 'not ready' | undefined;
}

export function clusterStatus(spec: Spec, facts: ClusterFacts, plan: Plan, now: Date): ClusterStatus {
  const seen = new Map(facts.nodes.flatMap((r) => (r.is === 'seen' ? [[r.node, r.facts] as const] : [])));
  const apis = [...seen.values()].flatMap(({ api }) => (api.is === 'known' ? [api.value] : []));
  const registered = new Map(apis[0]?.nodes.map((node) => [node.name, node]));
  const etcd = [...seen.values()].flatMap((node) => (node.etcd.is === 'known' ? [node.etcd.value] : []))[0];
  return {
    cluster: spec.name,
    kubernetes: spec.kubernetes.version.text,
    strategy: plan.strategy.name,
    behaviour: plan.strategy.behaviour,
    endpoint: `${plan.endpoint.host}:${plan.endpoint.port}`,
    nodes: spec.nodes.map((node): NodeStatus => {
      const own = seen.get(node.name);
      const member = registered.get(node.name);
      const api = own?.api.is === 'known' ? own.api.value : undefined;
      return {
        name: node.name,
        role: node.role,
        address: node.address.text,
        state: stateOf(own, member?.ready, apis.length > 0),
        kubelet: member?.kubelet,
        apiserver:
          node.role === 'worker' || own === undefined ? undefined : api?.ready === true ? 'ready' : 'not ready',
      };
    }),
    etcd: (etcd?.members ?? []).map((member) => ({
      name: member.name === '' ? member.peerUrls.join(', ') : member.name,
      role: member.learner ? 'learner' : 'voter',
      started: member.name !== '',
    })),
    endpoints: plan.effectiveEndpoints.map(({ node = 'outside', client, afterAllJoined }) => ({
      node,
      client,
      route: routeText(afterAllJoined),
    })),
    firstExpiry: firstExpiry(seen, now),
    pending: plan.steps.filter((step) => step.kind !== 'hold').length,
    blockers: plan.blockers.map(({ problem, code }) => `${problem}   ${code}`),
  };
}

function stateOf(facts: NodeFacts | undefined, ready: boolean | undefined, asked: boolean): string {
  if (facts === undefined) return 'unreachable';
  const phase = facts.kubeadm.is === 'known' ? facts.kubeadm.value.phase : undefined;
  if (phase === 'half-init' || phase === 'half-join') return 'half-made';
  if (phase === 'nothing') return 'absent';
  if (ready === undefined) return asked ? 'absent' : 'unknown';
  return ready ? 'Ready' : 'NotReady';
}

function firstExpiry(seen: ReadonlyMap<string, NodeFacts>, now: Date): ClusterStatus['firstExpiry'] {
  const all = [...seen].flatMap(([node, { certificates }]) =>
    certificates.is === 'known' ? certificates.value.map(({ path, notAfter }) => ({ node, path, notAfter })) : [],
  );
  const first = all.toSorted((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter))[0];
  if (first === undefined) return undefined;
  const left = Date.parse(first.notAfter) - now.getTime();
  return { node: first.node, path: first.path, inWords: left < 0 ? 'has expired' : `in ${days(left)}` };
}
