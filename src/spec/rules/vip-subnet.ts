import { type Cidr, cidrContains, formatCidr, networkOf } from '../../std/address.ts';
import type { SpecNode } from '../spec.ts';
import type { PlacedFinding, Rule } from './rule.ts';

/**
 * Where the VIP lies, seen from the masters. The spec does not say how long the prefixes are, so /24 and /64 stand in for
 * them and nothing here is more than a warning; `plan` knows the real ones.
 *
 * keepalived-vip announces the VIP by ARP and needs it in the masters' subnet. keepalived-haproxy must not be heard there:
 * each of its keepalived instances would draw all outside clients to itself (the article's all-master trap). With bind-vip
 * the balancer and the masters answer ARP for one address.
 */
export const vipSubnet: Rule = {
  name: 'vip-subnet',
  holds:
    "the VIP lies inside the masters' subnet with keepalived-vip, and outside of it with keepalived-haproxy and bind-vip (a warning: the spec does not know prefix lengths)",
  codes: ['SPEC_VIP_IN_SUBNET', 'SPEC_VIP_OUTSIDE_SUBNET'],
  reads: ['endpoint', 'strategy', 'each-node'],
  check({ spec }) {
    const { strategy, endpoint } = spec;
    const masters = spec.nodes.filter((node) => node.role === 'control-plane');
    return endpoint.addresses.flatMap((vip, i): PlacedFinding[] => {
      const at = endpoint.kind === 'address' ? ['spec', 'endpoint', 'address'] : ['spec', 'endpoint', 'addresses', i];
      const subnets = subnetsOf(masters, vip.family);
      const around = subnets.find((net) => cidrContains(net, vip));
      if (strategy.name === 'keepalived-vip' && around === undefined && subnets[0] !== undefined) {
        return [
          {
            at,
            code: 'SPEC_VIP_OUTSIDE_SUBNET',
            severity: 'warning',
            problem: `${vip.text} does not look like an address of the masters' subnet (${formatCidr(subnets[0])})`,
            expected: 'a free address of that subnet: VRRP announces it by ARP or neighbour discovery',
          },
        ];
      }
      if ((strategy.name !== 'keepalived-haproxy' && strategy.name !== 'bind-vip') || around === undefined) return [];
      const consequence =
        strategy.name === 'bind-vip'
          ? 'masters and balancer would answer ARP for the same address; bind-vip silences the masters'
          : 'every keepalived announces it, and outside clients end at whichever master was heard last';
      return [
        {
          at,
          code: 'SPEC_VIP_IN_SUBNET',
          severity: 'warning',
          problem: `${vip.text} looks like an address of the masters' own subnet (${formatCidr(around)}): ${consequence}`,
          hint: 'harmless on cloud networks, which ignore ARP for addresses they did not give out; elsewhere take steer',
        },
      ];
    });
  },
};

function subnetsOf(masters: readonly SpecNode[], family: 4 | 6): readonly Cidr[] {
  const nets = masters
    .flatMap((node) => node.addresses)
    .filter((address) => address.family === family)
    .map((address) => networkOf(address, family === 4 ? 24 : 64));
  return [...new Map(nets.map((net) => [formatCidr(net), net])).values()];
}
