import type { Cause } from '../cause.ts';
import { endpointServesNobody, masters } from './help.ts';

export const checksBlocked: Cause = {
  id: 'checks-blocked',
  title: "a firewall on the masters drops the balancer's health checks",
  needs: ['dials', 'look'],
  why: 'to the balancer every master is dead, so nobody gets an answer at {endpoint}, while masters and workers reach the apiservers directly',
  explanation: `Health checks come from addresses of the product's own (100.64.0.0/10 with Alibaba, 168.63.129.16 with Azure, 35.191.0.0/16
and 130.211.0.0/22 with Google), not from the endpoint's. A firewall that lets only nodes in stops them, and with them
all traffic through the balancer.`,
  run: "nft list ruleset | grep -w drop    (on {nodes}; let the sources of the product's checks in)",
  produced: 'scenario',
  signs: [],
  judge(live) {
    if (live.spec.balancer === undefined || !endpointServesNobody(live)) return [];
    const ports = new RegExp(
      String.raw`(?:\D|^)(?:${[live.spec.balancer.backendPort, live.spec.balancer.healthCheck.port ?? live.spec.apiServerPort].join('|')})(?:\D|$)`,
    );
    return masters(live).flatMap((node) => {
      const rule = (node.look?.drops ?? []).find((one) => ports.test(one));
      return rule === undefined ? [] : [{ node: node.spec.name, confidence: 'certain' as const, saw: rule }];
    });
  },
};
