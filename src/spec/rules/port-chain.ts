import type { Spec } from '../spec.ts';
import type { PlacedFinding, Rule, RuleContext } from './rule.ts';

/**
 * From the endpoint's port to a listener on a master: what the balancer forwards to must be there, and a master that
 * captures the endpoint's address for itself is dialled on the endpoint's own port, with nobody to change it.
 */
export const portChain: Rule = {
  name: 'port-chain',
  holds: 'what clients dial, what the balancer forwards to and what listens on a master fit together',
  codes: ['SPEC_BACKEND_PORT', 'SPEC_ENDPOINT_PORT'],
  reads: ['endpoint', 'balancer', 'strategy', 'apiServerPort'],
  check(cx) {
    const { strategy } = cx.spec;
    if (strategy.name === 'keepalived-haproxy') return throughHaproxy(cx, strategy.port);
    if (strategy.name === 'keepalived-vip') return endpointPort(cx.spec, strategy.port, 'the port of haproxy');
    return [...toTheApiserver(cx), ...captured(cx.spec)];
  },
};

function throughHaproxy({ spec }: RuleContext, port: number): PlacedFinding[] {
  const found = endpointPort(spec, port, 'the port of haproxy on every master');
  const backendPort = spec.balancer?.backendPort;
  if (backendPort !== undefined && backendPort !== port) {
    found.push({
      at: ['spec', 'balancer', 'backendPort'],
      code: 'SPEC_BACKEND_PORT',
      problem: `the balancer forwards to ${backendPort}, and haproxy listens on ${port}`,
      expected: String(port),
      hint: 'with keepalived-haproxy, endpoint.port = port of haproxy = balancer.backendPort ≠ apiServerPort',
    });
  }
  return found;
}

function endpointPort({ endpoint }: Spec, port: number, what: string): PlacedFinding[] {
  if (endpoint.port === port) return [];
  const problem = `clients dial ${endpoint.port}, and a master that has the VIP answers on ${port}, ${what}`;
  return [{ at: ['spec', 'endpoint', 'port'], code: 'SPEC_ENDPOINT_PORT', problem, expected: String(port) }];
}

function toTheApiserver({ spec }: RuleContext): PlacedFinding[] {
  const backendPort = spec.balancer?.backendPort;
  if (backendPort === undefined || backendPort === spec.apiServerPort) return [];
  return [
    {
      at: ['spec', 'balancer', 'backendPort'],
      code: 'SPEC_BACKEND_PORT',
      problem: `the balancer forwards to ${backendPort}, and the apiservers listen on ${spec.apiServerPort}`,
      expected: String(spec.apiServerPort),
      hint: 'only keepalived-haproxy puts something between them',
    },
  ];
}

function captured({ endpoint, strategy, balancer, apiServerPort }: Spec): PlacedFinding[] {
  if (endpoint.port === apiServerPort) return [];
  const captures = strategy.name === 'bind-vip' || strategy.name === 'hosts';
  if (!captures && balancer?.hairpin !== 'local') return [];
  const why = captures
    ? `with ${strategy.name} a master dials its own apiserver`
    : 'a balancer that leaves the VIP to its backends (local) changes no port: masters are dialled';
  return [
    {
      at: ['spec', 'endpoint', 'port'],
      code: 'SPEC_ENDPOINT_PORT',
      problem: `${why} on the endpoint's port ${endpoint.port}, and apiservers listen on ${apiServerPort}`,
      expected: `${apiServerPort}, the same as apiServerPort`,
      hint: captures ? 'steer and direct can do with different ports' : undefined,
    },
  ];
}
