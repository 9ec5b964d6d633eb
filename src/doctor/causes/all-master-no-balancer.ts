import type { Cause } from '../cause.ts';
import { allMasterByDesign, holders } from './vrrp.ts';

export const allMasterNoBalancer: Cause = {
  id: 'all-master-no-balancer',
  title: "every master has the endpoint's address, and there is no balancer in front",
  needs: ['facts', 'look'],
  why: 'clients outside reach whichever master their router has in its neighbour table, and nobody when that one is gone',
  explanation: `The address on all masters works where a balancer decides who gets a packet from outside: it is how masters reach
themselves. Without one nothing moves the address when the master that answered ARP dies: masters still reach their own
haproxy, clients outside reach a dead machine until their neighbour entry expires (the article predicts it).`,
  run: 'hairpin plan --strategy keepalived-vip    (one holder by VRRP; or put a balancer in front)',
  produced: 'scenario',
  signs: [],
  judge(live) {
    if (live.spec.balancer !== undefined || !allMasterByDesign(live)) return [];
    const holding = holders(live);
    return holding.length < 2
      ? []
      : holding.map((node) => ({
          node: node.spec.name,
          confidence: 'certain' as const,
          saw: "has the endpoint's address, as have the others by configuration",
        }));
  },
};
