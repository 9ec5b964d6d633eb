import type { Cause, Sighting } from '../cause.ts';
import { dialsAt, endpointDials, membersOf } from './help.ts';

export const balancerTcpCheck: Cause = {
  id: 'balancer-tcp-check',
  title: 'the balancer checks by TCP only, and goes on sending clients to an apiserver that is not ready',
  needs: ['dials'],
  why: '{nodes} accept connections and answer that they are not ready; a TCP check cannot tell, so clients of {endpoint} get them by turns',
  explanation: `A TCP check is content when a port accepts a connection. An apiserver whose etcd is gone, that starts, that is about to
end or that hangs still accepts. A check of /readyz by HTTPS (or HTTP on a helper port where the product knows no HTTPS)
takes such a master out; until then every client loses its share of requests.`,
  run: 'make the balancer check HTTPS GET /readyz on the masters; what follows from its numbers: hairpin check timing',
  produced: 'scenario',
  signs: [],
  judge(live) {
    const { balancer } = live.spec;
    if (balancer === undefined || balancer.healthCheck.protocol !== 'tcp') return [];
    const reached = live.nodes.some((node) => (endpointDials(node)?.statuses ?? []).some((status) => status >= 500));
    // Where nobody is ready it is not the balancer's doing.
    const ready = membersOf(live).some(({ spec }) =>
      dialsAt(live, spec.name).some(({ dials }) => dials.statuses.includes(200) || dials.statuses.includes(401)),
    );
    if (!ready) return [];
    return membersOf(live).flatMap((node): Sighting[] => {
      const dials = dialsAt(live, node.spec.name).map((one) => one.dials);
      if (!dials.some(({ statuses }) => statuses.some((status) => status >= 500))) return [];
      // One that was ready for somebody in the same seconds has stumbled, and no check is fast enough for that.
      if (dials.some(({ statuses }) => statuses.includes(200) || statuses.includes(401))) return [];
      const saw = `/readyz answers ${[...new Set(dials.flatMap(({ statuses }) => statuses))].join(', ')} there${reached ? ', and clients of the endpoint get such answers' : ''}`;
      return [{ node: node.spec.name, confidence: reached ? 'certain' : 'likely', saw }];
    });
  },
};
