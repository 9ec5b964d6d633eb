import type { PlacedFinding, Rule } from './rule.ts';

/** A VIP can only be bound where there is one, and /etc/hosts only knows names. */
export const strategyEndpoint: Rule = {
  name: 'strategy-endpoint',
  holds: 'the strategy can work with an endpoint of this form',
  codes: ['SPEC_BALANCER_UNUSED', 'SPEC_STRATEGY_ENDPOINT'],
  reads: ['endpoint', 'strategy', 'balancer'],
  check({ spec, written }) {
    const { strategy, endpoint } = spec;
    const code = 'SPEC_STRATEGY_ENDPOINT';
    const at = ['spec', 'strategy'];
    const found: PlacedFinding[] = [];
    const bindsVip =
      strategy.name === 'bind-vip' || strategy.name === 'keepalived-haproxy' || strategy.name === 'keepalived-vip';
    if (bindsVip && endpoint.kind === 'domain' && endpoint.addresses.length === 0) {
      const problem = `${strategy.name} binds a VIP, and the endpoint ${endpoint.domain} is a name`;
      const expected = 'steer, hosts or direct for a name';
      const hint = 'when the name stands for fixed VIPs, give them as `endpoint.addresses`';
      found.push({ at, code, problem, expected, hint });
    }
    if (strategy.name === 'hosts' && endpoint.kind === 'address') {
      const problem = `hosts changes what a name means, and the endpoint ${endpoint.host} is an address`;
      const expected = 'steer, bind-vip or keepalived-haproxy for an address';
      found.push({ at, code, problem, expected, hint: 'or make up a name: `endpoint: { domain, addresses: [VIP] }`' });
    }
    const describes = ['product', 'backendPort', 'hairpin', 'healthCheck'].some((key) =>
      written(['spec', 'balancer', key]),
    );
    if (strategy.name === 'keepalived-vip' && describes) {
      found.push({
        at: ['spec', 'balancer'],
        code: 'SPEC_BALANCER_UNUSED',
        problem: 'keepalived-vip is for networks without a balancer',
        expected: '`balancer: none`, or another strategy',
        hint: 'VRRP and a balancer would both claim the VIP; keepalived-haproxy is the one that stands behind a balancer',
      });
    }
    return found;
  },
};
