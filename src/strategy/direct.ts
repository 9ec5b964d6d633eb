import { nothing, type Strategy } from './strategy.ts';

/** Everybody dials the balancer, masters too: right when the balancer can send a master's connection back to it. */
export const direct: Strategy<'direct'> = {
  name: 'direct',
  summary: 'everybody dials the balancer',
  doesNotSurvive: 'the balancer itself',
  unsuitable({ spec, behaviour }) {
    if (spec.balancer === undefined) {
      return {
        code: 'DIRECT_NO_BALANCER',
        reason: 'there is no balancer to dial',
        hint: 'use keepalived-vip, or describe the balancer in spec.balancer',
      };
    }
    if (behaviour === undefined || behaviour === 'works') return undefined;
    const reasons = {
      drop: 'a connection of a master that the balancer sends back to it is dropped: 1 in 3 with three masters, all of them while there is only one',
      local: 'the endpoint is an address of each master itself, so a master never reaches another one through it',
      'one-arm':
        'replies to clients in the subnet of the masters do not pass the balancer, so no node reaches the endpoint',
    };
    return {
      code: 'DIRECT_NO_HAIRPIN',
      reason: `${reasons[behaviour]} (behaviour ${behaviour})`,
      hint: 'use strategy steer',
    };
  },
  warnings({ behaviour }) {
    if (behaviour !== undefined) return [];
    return [
      {
        code: 'BEHAVIOUR_UNKNOWN',
        text: 'nobody has measured whether a master reaches itself through this balancer; `hairpin probe` finds out',
      },
    ];
  },
  tools: () => [],
  wants: () => nothing,
  route: () => [{ to: 'balancer' }],
};
