import { dialsOf } from '../render/kubeadm/dials.ts';
import type { Place } from '../strategy/strategy.ts';
import { hasAddon } from './addons.ts';
import type { PlanContext } from './context.ts';
import type { ClientKind, EffectiveEndpoint, Hop, Route } from './plan.ts';

const notRunning: Route = [];
const service: Route = [{ to: 'service' }];

/** Where every client's connections end, at three moments of the cluster. */
export function effectiveEndpoints(cx: PlanContext): readonly EffectiveEndpoint[] {
  return [...cx.cluster.places.flatMap((place) => ofNode(cx, place)), outside(cx)];
}

function ofNode(cx: PlanContext, place: Place): readonly EffectiveEndpoint[] {
  const { spec, strategy, cluster, documents } = cx;
  const { node, part } = place;
  const dials = dialsOf(spec.kubernetes.version, documents.featureGates.ControlPlaneKubeletLocalMode);
  const isMember = cluster.state(node) === 'member';
  const local: Route = [{ to: 'self', address: node.address }];
  const early = isMember || part === 'leader' ? strategy.route(place, 'after') : notRunning;
  const settled = strategy.route(place, 'settled');
  const at = (client: ClientKind, after: Route, all: Route): EffectiveEndpoint => ({
    node: node.name,
    client,
    beforeInit: isMember ? all : notRunning,
    afterInit: isMember ? all : after,
    afterAllJoined: all,
  });
  const here = (route: Route): Route => (early.length === 0 ? notRunning : route);
  const cni = spec.kubernetes.cni.kind === 'manifest' ? [at('CNI', here(service), service)] : [];
  const proxy = hasAddon(spec, 'kube-proxy') ? [at('kube-proxy', early, settled)] : [];
  const pods = at('pods', here(service), service);
  if (part === 'worker') return [at('kubelet', early, settled), ...proxy, ...cni, pods];
  const kubelet = dials.masterKubelet === 'local' ? at('kubelet', here(local), local) : at('kubelet', early, settled);
  const controller = (client: ClientKind) =>
    dials.controllers === 'local' ? at(client, here(local), local) : at(client, early, settled);
  return [
    kubelet,
    ...proxy,
    controller('kube-controller-manager'),
    controller('kube-scheduler'),
    at('admin.conf', early, settled),
    ...cni,
    pods,
  ];
}

/** People and programs that are not on a node. */
function outside({ strategy, cluster }: PlanContext): EffectiveEndpoint {
  const hop: Hop = strategy.name === 'keepalived-vip' ? { to: 'vip-holder' } : { to: 'balancer' };
  return {
    node: undefined,
    client: 'outside',
    beforeInit: cluster.exists ? [hop] : notRunning,
    afterInit: [hop],
    afterAllJoined: [hop],
  };
}
