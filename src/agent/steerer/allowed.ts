import type { Address } from '../../std/address.ts';
import type { Settings } from './settings.ts';

/**
 * Why an endpoint must not be steered; `undefined` when it may. The prober is told by DNS, and DNS can be wrong: an endpoint
 * that is a node's or a master's own address would take that machine's own port away from everybody on this node.
 */
export function endpointProblem(endpoint: Address, settings: Settings, ipvs: readonly Address[]): string | undefined {
  const is = (list: readonly Address[]) => list.some((a) => a.text === endpoint.text);
  if (!settings.steer) return `${endpoint.text} is not steered: this node keeps to the balancer (steer: false)`;
  if (settings.endpoints.length > 0 && !is(settings.endpoints)) {
    return `${endpoint.text} is not steered: the endpoint has fixed addresses, and it is none of them`;
  }
  if (is(settings.node)) return `${endpoint.text} is not steered: it is an address of this node`;
  if (is(settings.masters)) return `${endpoint.text} is not steered: it is an address of a master`;
  if (is(ipvs)) {
    return `${endpoint.text} is not steered: kube-proxy in IPVS mode has it on kube-ipvs0 and takes its traffic before netfilter can (a Service has it as an external address)`;
  }
  return undefined;
}

/** Why new connections must not be sent to a backend; `undefined` when they may. */
export function backendProblem(backend: Address, endpoints: readonly Address[]): string | undefined {
  if (endpoints.some((a) => a.text === backend.text)) return `${backend.text} is an endpoint and cannot be a backend`;
  return undefined;
}
