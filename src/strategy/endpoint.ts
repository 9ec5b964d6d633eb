import type { SpecNode } from '../spec/spec.ts';
import type { Address } from '../std/address.ts';
import type { BaseContext, Unsuitable } from './strategy.ts';

/** The one address that a strategy binds; `undefined` when the endpoint is a name with none or several. */
export function vipOf(cx: BaseContext): Address | undefined {
  return cx.endpointAddresses.length === 1 ? cx.endpointAddresses[0] : undefined;
}

/** As `vipOf`, where `unsuitable` has already refused everything else. */
export function vip(cx: BaseContext): Address {
  const found = vipOf(cx);
  if (found === undefined) throw new TypeError('This strategy needs an endpoint with exactly one address');
  return found;
}

export function noVip(strategy: string, cx: BaseContext): Unsuitable | undefined {
  if (vipOf(cx) !== undefined) return undefined;
  const n = cx.endpointAddresses.length;
  return {
    code: 'ENDPOINT_HAS_NO_VIP',
    reason: `${strategy} puts the endpoint's address on nodes, and ${cx.spec.endpoint.host} has ${n === 0 ? 'none that is known' : `${n} of them`}`,
    hint: 'use steer or hosts, or write the one address into spec.endpoint.addresses',
  };
}

export function noBalancer(strategy: string, cx: BaseContext): Unsuitable | undefined {
  if (cx.spec.balancer !== undefined) return undefined;
  return {
    code: 'NO_BALANCER',
    reason: `${strategy} leaves workers, outside clients and joining masters to the balancer, and there is none`,
    hint: 'use keepalived-vip',
  };
}

/** With behaviour one-arm nobody in the masters' subnet reaches the endpoint, workers included. */
export function oneArm(strategy: string, cx: BaseContext): Unsuitable | undefined {
  if (cx.behaviour !== 'one-arm') return undefined;
  return {
    code: 'ONE_ARM_WORKERS',
    reason: `${strategy} leaves workers and joining masters to the balancer, and behind a one-arm balancer no node in the masters' subnet reaches it`,
    hint: 'use strategy steer with workers: true',
  };
}

export function othersThan(cx: BaseContext, node: SpecNode): readonly string[] {
  return cx.masters.filter((master) => master.name !== node.name).map((master) => master.name);
}
