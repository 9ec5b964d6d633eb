import type { Cause } from '../cause.ts';
import { allMasterByDesign, holders, vrrpDrops } from './vrrp.ts';

export const vrrpBlocked: Cause = {
  id: 'vrrp-blocked',
  title: 'a firewall drops VRRP between the masters, so several hold the address',
  needs: ['facts', 'look'],
  why: 'a keepalived that hears no adverts takes the address: {nodes} have it at the same time',
  explanation: `keepalived decides who holds the address by adverts (IP protocol 112). Where a firewall or the network drops them (most
clouds do), every keepalived thinks it is alone and takes the address. Behind a balancer that is the article's trick;
without one it is a split brain: clients reach whichever master answered their last ARP request.`,
  run: 'nft insert rule inet filter input ip protocol vrrp accept    (on {nodes}; or unicast_peer where the network drops multicast)',
  produced: 'scenario',
  signs: [],
  judge(live) {
    if (live.spec.balancer !== undefined || allMasterByDesign(live)) return [];
    const holding = holders(live);
    if (holding.length < 2) return [];
    const blocked = holding.flatMap((node) =>
      vrrpDrops(node)
        .slice(0, 1)
        .map((rule) => ({ node, rule })),
    );
    return blocked.map(({ node, rule }) => ({
      node: node.spec.name,
      confidence: 'certain' as const,
      saw: `drops VRRP (${rule}), and ${holding.map(({ spec }) => spec.name).join(', ')} hold the address at once`,
    }));
  },
};
