import type { PlacedFinding, Rule } from './rule.ts';

/**
 * The endpoint is the balancer's. A node's own address there makes that node the only way in, and nothing may be steered
 * that is dialled for itself. A name that stands for the masters (round-robin DNS) does work, badly: no check takes a dead
 * master out.
 */
export const endpointIsNode: Rule = {
  name: 'endpoint-is-node',
  holds: "the endpoint is not a node's own address",
  codes: ['SPEC_ENDPOINT_IS_NODE'],
  reads: ['endpoint', 'strategy', 'each-node'],
  check({ spec }) {
    const { endpoint, strategy } = spec;
    // The last one set wins, and an address that is there twice belongs to its first owner.
    const owners = new Map(
      spec.nodes.toReversed().flatMap((node) => node.addresses.map((a) => [a.text, node] as const)),
    );
    return endpoint.addresses.flatMap((address, i): PlacedFinding[] => {
      const node = owners.get(address.text);
      if (node === undefined) return [];
      const code = 'SPEC_ENDPOINT_IS_NODE';
      if (endpoint.kind === 'address') {
        const problem = `${address.text} is the address of node ${node.name}; the endpoint must be the balancer's`;
        return [{ at: ['spec', 'endpoint', 'address'], code, problem }];
      }
      const at = ['spec', 'endpoint', 'addresses', i];
      const passable = node.role === 'control-plane' && (strategy.name === 'direct' || strategy.name === 'hosts');
      if (!passable) {
        return [
          { at, code, problem: `${address.text} is the address of node ${node.name}`, expected: "the balancer's" },
        ];
      }
      return [
        {
          at,
          code,
          severity: 'warning',
          problem: `${address.text} is the address of node ${node.name}, so no health check takes it out when ${node.name} is down`,
          expected: "the balancer's",
        },
      ];
    });
  },
};
