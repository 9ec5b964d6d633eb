import { cidrContains, networkOf } from '../../std/address.ts';
import type { Cause } from '../cause.ts';
import { each, endpointText, holdingEndpoint, known, masters } from './help.ts';

export const vipAnswersArp: Cause = {
  id: 'vip-answers-arp',
  title: "a master answers ARP for the balancer's address",
  needs: ['facts'],
  why: "the address is on the masters' own segment: neighbours and the router may send what is for the balancer to {nodes}",
  explanation: `Where the balancer's address is in the subnet of the masters, a master that has it bound and answers ARP takes it away from
the balancer for everybody on the segment. arp_ignore and arp_announce have to silence it (or the address goes on lo with
scope host and arp_ignore 3); hairpin's bind-vip and keepalived-haproxy do that.`,
  run: 'sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2    (on {nodes}; or hairpin up, which does it for each NIC)',
  produced: 'scenario',
  signs: [
    {
      in: ['kernel', 'unknown'],
      match:
        /(?:arp: |ARP: )?(?:duplicate address detected|[\w:]+ is using my IP address [\d.]+|IPv4 duplicate address [\d.]+ detected)/i,
      confidence: 'likely',
      example: 'IPv4 duplicate address 172.16.104.26 detected (in use by 02:00:00:00:01:05) on eth0',
      seenIn: 'systemd-networkd address conflict detection, from memory',
    },
  ],
  judge(live) {
    if (live.spec.balancer === undefined) return [];
    return each(masters(live), 'certain', (node) => {
      const own = node.spec.addresses;
      const sysctls = known(node.facts?.sysctls);
      if (sysctls === undefined) return undefined;
      const quietAll = Number(sysctls['net.ipv4.conf.all.arp_ignore'] ?? 0);
      const endpoints = live.spec.endpoint.addresses.filter(({ family }) => family === 4);
      for (const held of holdingEndpoint(node, live)) {
        if (held.name === 'kube-ipvs0') continue;
        const found = held.addresses.find(({ address }) => endpoints.some(({ text }) => text === address.text));
        if (found === undefined || found.scope === 'host') continue;
        const near = (known(node.facts?.interfaces) ?? []).some(({ addresses }) =>
          addresses.some(
            ({ address, prefix }) =>
              prefix < 32 &&
              own.some(({ text }) => text === address.text) &&
              cidrContains(networkOf(address, prefix), found.address),
          ),
        );
        // 1: answer only on the interface that has it; that silences an address on lo, not one on the NIC itself.
        const silenced = quietAll >= (held.loopback ? 1 : 2);
        if (near && !silenced)
          return `${endpointText(live)} is on ${held.name} with scope ${found.scope}, arp_ignore is ${quietAll}`;
      }
      return undefined;
    });
  },
};
