import type { PlacedFinding, Rule } from './rule.ts';

/** Ports that a master's other parts listen on. */
const taken: Readonly<Record<number, string>> = {
  2379: 'etcd (clients)',
  2380: 'etcd (peers)',
  2381: 'etcd (metrics)',
  10248: 'the kubelet (health)',
  10249: 'kube-proxy (metrics)',
  10250: 'the kubelet',
  10256: 'kube-proxy (health)',
  10257: 'kube-controller-manager',
  10259: 'kube-scheduler',
};

const names = {
  'keepalived-haproxy': ['spec', 'strategy', 'keepalived-haproxy', 'port'],
  'keepalived-vip': ['spec', 'strategy', 'keepalived-vip', 'port'],
} as const;

/** One port, one listener: haproxy and the apiserver stand on the same machine. */
export const portClash: Rule = {
  name: 'port-clash',
  holds: 'haproxy, the apiserver and the other parts of a master listen on ports of their own',
  codes: ['SPEC_PORT_CLASH'],
  reads: ['endpoint', 'strategy', 'apiServerPort'],
  check({ spec, written }) {
    const found: PlacedFinding[] = [];
    const code = 'SPEC_PORT_CLASH';
    const other = taken[spec.apiServerPort];
    if (other !== undefined) {
      found.push({ at: ['spec', 'apiServerPort'], code, problem: `${spec.apiServerPort} is the port of ${other}` });
    }
    const { strategy } = spec;
    if (strategy.name !== 'keepalived-haproxy' && strategy.name !== 'keepalived-vip') return found;
    const own = names[strategy.name];
    const at = written(own) ? own : ['spec', 'endpoint', 'port'];
    if (strategy.port === spec.apiServerPort) {
      found.push({
        at,
        code,
        problem: `haproxy cannot listen on ${strategy.port}: the apiserver of the same master does`,
        expected: `another port than apiServerPort (${spec.apiServerPort}), such as 9443`,
        hint:
          strategy.name === 'keepalived-haproxy'
            ? 'endpoint.port, balancer.backendPort and the port of haproxy must be the same, and the balancer must listen there'
            : 'endpoint.port is the port of haproxy',
      });
    }
    const clash = taken[strategy.port];
    if (clash !== undefined) found.push({ at, code, problem: `${strategy.port} is the port of ${clash}` });
    return found;
  },
};
