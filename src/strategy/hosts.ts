import { atLeast } from '../std/version.ts';
import { noBalancer, oneArm } from './endpoint.ts';
import { type Moment, nothing, type Place, type Strategy, type StrategyContext } from './strategy.ts';

/**
 * The endpoint's name means something else on each node (the article's third way). Per phase: the leader itself from the
 * start; a follower the balancer until it has joined, then itself; a worker the balancer. Where the balancer's address is
 * a local one (behaviour `local`), a follower that joins goes to the leader instead.
 */
export const hosts: Strategy<'hosts'> = {
  name: 'hosts',
  summary: "the endpoint's name in /etc/hosts: masters mean themselves, workers the balancer",
  doesNotSurvive:
    'its own apiserver, as bind-vip; and pods that copied /etc/hosts before it changed keep the old address',
  unsuitable(cx) {
    if (cx.spec.endpoint.kind === 'address') {
      return {
        code: 'HOSTS_NEEDS_A_NAME',
        reason: `hosts gives a name another meaning on each node, and the endpoint is the address ${cx.spec.endpoint.host}`,
        hint: 'use steer or bind-vip, or make the endpoint a name (also a made-up one, with its addresses)',
      };
    }
    return noBalancer('hosts', cx) ?? oneArm('hosts', cx);
  },
  warnings: () => [
    {
      code: 'HOSTS_OWN_APISERVER',
      text: 'a master whose own apiserver is down is refused by itself; steer goes to another master then',
    },
    {
      code: 'HOSTS_STALE_PODS',
      text: 'pods with hostNetwork read /etc/hosts once; those that run while it changes are started anew',
    },
  ],
  tools: () => [],
  wants(cx, place, moment) {
    return {
      ...nothing,
      hosts: targets(cx, place, moment).map((target) => `${target} ${cx.spec.endpoint.host}`),
      // The controllers dial the endpoint up to 1.18, their own apiserver since.
      staleAfterHostsChange: {
        staticPods: atLeast(cx.spec.kubernetes.version, 1, 19) ? [] : ['kube-controller-manager', 'kube-scheduler'],
        hostNetworkPods: true,
      },
    };
  },
  route(cx, { part }, moment) {
    if (part === 'worker') return [{ to: 'balancer' }];
    if (part === 'leader' || moment !== 'before') return [{ to: 'self' }];
    return cx.behaviour === 'local' ? [{ to: 'nodes', nodes: [cx.leader.name] }] : [{ to: 'balancer' }];
  },
};

/** Addresses that the name means; none where DNS is to answer. */
function targets(cx: StrategyContext<'hosts'>, { node, part }: Place, moment: Moment): readonly string[] {
  if (part === 'leader' || (part === 'follower' && moment !== 'before')) {
    const own = node.address;
    return [cx.options.to === 'own-address' ? own.text : own.family === 4 ? '127.0.0.1' : '::1'];
  }
  if (part === 'follower' && cx.behaviour === 'local') return [cx.leader.address.text];
  return cx.spec.endpoint.addresses.map((a) => a.text);
}
