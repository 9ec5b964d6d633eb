import { agentOn } from './agent.ts';
import { othersThan } from './endpoint.ts';
import { nothing, type Strategy } from './strategy.ts';

/**
 * Each master's connections to the endpoint are sent, by the kernel and only while somebody looks after it, to an
 * apiserver that is ready: its own first, then another one, then the balancer. The agent looks after it.
 */
export const steer: Strategy<'steer'> = {
  name: 'steer',
  summary:
    'the kernel sends connections to the endpoint to a ready apiserver, own first; the balancer is the last resort',
  doesNotSurvive: 'nothing but the loss of all masters at once',
  unsuitable({ spec, options, behaviour, endpointAddresses }) {
    if (endpointAddresses.length === 0) {
      return {
        code: 'STEER_NO_ADDRESS',
        reason: `${spec.endpoint.host} resolves to nothing, so there is no address to steer`,
        hint: 'make it resolve on the nodes, or write its addresses into spec.endpoint.addresses',
      };
    }
    if (spec.balancer === undefined) {
      return {
        code: 'STEER_NO_BALANCER',
        reason: 'without a balancer nobody answers workers and outside clients at the endpoint',
        hint: 'use keepalived-vip',
      };
    }
    if (behaviour === 'one-arm' && !options.workers && spec.nodes.some((node) => node.role === 'worker')) {
      return {
        code: 'ONE_ARM_WORKERS',
        reason:
          "behind a one-arm balancer workers in the masters' subnet do not reach the endpoint either, and they are not steered",
        hint: 'set strategy: { steer: { workers: true } }',
      };
    }
    return undefined;
  },
  warnings({ spec }) {
    if (spec.endpoint.kind === 'address' || spec.endpoint.addresses.length === 0) return [];
    return [
      {
        code: 'STEER_FIXED_ADDRESSES',
        text: `the addresses of ${spec.endpoint.host} are those of the spec; without them the agents ask DNS and follow it`,
      },
    ];
  },
  tools: ({ options }, { part }) =>
    part === 'worker' && !options.workers ? [] : [['nft'], ['ss'], ['conntrack'], ['ip']],
  wants(cx, place) {
    if (place.part === 'worker' && !cx.options.workers) return nothing;
    return agentOn(
      cx,
      place,
      place.part === 'leader'
        ? 'the endpoint leads to this master as soon as its apiserver is ready'
        : place.part === 'follower'
          ? 'the endpoint leads to a ready master, itself once it is one'
          : 'the endpoint leads to ready masters, the balancer is the last resort',
    );
  },
  route(cx, { node, part }, moment) {
    if (part === 'worker' && !cx.options.workers) return [{ to: 'balancer' }];
    const others = othersThan(cx, node);
    // Before it has joined a master can only be sent to those that have: the leader, for all we know.
    const joined = moment === 'settled' ? others : part === 'leader' ? [] : [cx.leader.name];
    const self = part !== 'worker' && moment !== 'before';
    return [
      ...(self ? [{ to: 'self' as const }] : []),
      ...(joined.length === 0 ? [] : [{ to: 'nodes' as const, nodes: joined }]),
      { to: 'balancer' },
    ];
  },
};
