import type { ClusterSession } from './apply/flow/session.ts';
import { type ProbeReport, runHairpinProbe } from './balancer/probe/run-probe.ts';
import { OperatorError } from './errors/operator-error.ts';
import type { Emit } from './report/event.ts';

export interface ProbeClusterOptions {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Connections from each node. */
  readonly tries?: number;
  /** Only these nodes dial; all masters still serve. Workers beyond the first three are left out otherwise. */
  readonly workers?: number;
}

/**
 * Measures what the balancer of a cluster does with the masters that dial it. Masters are all asked; a few workers are
 * enough to tell a balancer that nobody reaches from one that only masters do not reach.
 */
export async function probeCluster(
  session: Pick<ClusterSession, 'spec' | 'nodes'>,
  opts: ProbeClusterOptions,
): Promise<ProbeReport> {
  const { spec, nodes } = session;
  const { balancer, endpoint } = spec;
  if (balancer === undefined) {
    throw new OperatorError(
      'PROBE_NO_BALANCER',
      `There is no balancer in front of ${spec.name} that could be measured`,
      {
        hint: 'keepalived-vip puts the endpoint on the masters themselves',
      },
    );
  }
  const workers = spec.nodes.filter((node) => node.role === 'worker').slice(0, opts.workers ?? 3);
  const asked = spec.nodes.filter((node) => node.role === 'control-plane' || workers.includes(node));
  return runHairpinProbe(
    {
      nodes: asked.flatMap(({ name, role, addresses }) => {
        const node = nodes.get(name);
        return node === undefined ? [] : [{ node, role, addresses }];
      }),
      endpoint: {
        host: endpoint.host,
        domain: endpoint.kind === 'domain' ? endpoint.domain : undefined,
        addresses: endpoint.addresses,
        port: endpoint.port,
      },
      backendPort: balancer.backendPort,
      healthCheck: balancer.healthCheck,
      tries: opts.tries ?? 30,
    },
    opts,
  );
}
