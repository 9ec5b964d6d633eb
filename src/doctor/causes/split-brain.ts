import type { Cause } from '../cause.ts';
import { allMasterByDesign, holders, instances } from './vrrp.ts';

export const splitBrain: Cause = {
  id: 'split-brain',
  title: 'several masters hold the endpoint at once (split brain)',
  needs: ['facts', 'look'],
  why: '{nodes} each think that they alone are master of the VRRP group',
  explanation: `Exactly one master may hold the address when no balancer is in front. Two hold it when they do not hear each other
(unicast peers that do not name each other, another interface, another password), or when one was stopped without giving
the address back (kube-vip#1786, keepalived#2649). Which of them a client reaches is up to its neighbour table.`,
  run: 'grep -A4 unicast_peer /etc/hairpin/keepalived.conf /etc/keepalived/keepalived.conf    (on {nodes}: each has to name the others)',
  produced: 'scenario',
  signs: [],
  judge(live) {
    if (live.spec.balancer !== undefined || allMasterByDesign(live)) return [];
    const holding = holders(live);
    if (holding.length < 2) return [];
    return holding.map((node) => {
      const peers = instances(live).find((one) => one.node === node)?.instance.unicastPeers ?? [];
      return {
        node: node.spec.name,
        confidence: 'certain' as const,
        saw: `has the endpoint's address${peers.length === 0 ? '' : `, with unicast peers ${peers.join(', ')}`}`,
      };
    });
  },
};
