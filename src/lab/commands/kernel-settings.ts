import type { Topology } from '../topology/topology.ts';

type Settings = Readonly<Record<string, string | number>>;

// A new address is usable at once: nobody else can have it, and duplicate detection takes a second. Router
// advertisements have no place in a network that is drawn.
const quietV6: Settings = {
  'net.ipv6.conf.all.accept_dad': 0,
  'net.ipv6.conf.default.accept_dad': 0,
  'net.ipv6.conf.default.router_solicitations': 0,
  'net.ipv6.conf.all.accept_ra': 0,
  'net.ipv6.conf.default.accept_ra': 0,
};

/** Settings for `all` and for interfaces that come later; a new namespace may inherit the host's values or not. */
const both = (key: string, value: number): Settings => ({
  [`net.ipv4.conf.all.${key}`]: value,
  [`net.ipv4.conf.default.${key}`]: value,
});

/** A router that never says "ask him directly": in clouds there is no such ICMP message. */
export function routerSettings(topology: Topology): Settings {
  return {
    'net.ipv4.ip_forward': 1,
    ...both('rp_filter', 0),
    ...both('send_redirects', 0),
    ...(usesV6(topology) ? { ...quietV6, 'net.ipv6.conf.all.forwarding': 1 } : {}),
  };
}

/** A cluster node as kubeadm wants one: it forwards for its pods. `accept_local` stays 0, as everywhere. */
export function nodeSettings(topology: Topology, opts: { readonly sharesVip: boolean }): Settings {
  return {
    'net.ipv4.ip_forward': 1,
    ...both('rp_filter', 0),
    ...both('accept_redirects', 0),
    ...both('accept_local', 0),
    // Answering ARP for the shared address would take the traffic of the whole segment away from the balancer.
    ...(opts.sharesVip && topology.network === 'segment'
      ? { ...both('arp_ignore', 1), ...both('arp_announce', 2) }
      : {}),
    ...(usesV6(topology)
      ? {
          ...quietV6,
          'net.ipv6.conf.all.forwarding': 1,
          'net.ipv6.conf.all.accept_redirects': 0,
          'net.ipv6.conf.default.accept_redirects': 0,
        }
      : {}),
  };
}

export function clientSettings(topology: Topology): Settings {
  return {
    ...both('rp_filter', 0),
    ...both('accept_redirects', 0),
    ...(usesV6(topology) ? { ...quietV6, 'net.ipv6.conf.default.accept_redirects': 0 } : {}),
  };
}

/** With br_netfilter loaded, frames between neighbours would pass the router's packet filter as if they were routed. */
export const plainBridgeSettings: Settings = {
  'net.bridge.bridge-nf-call-iptables': 0,
  'net.bridge.bridge-nf-call-ip6tables': 0,
  'net.bridge.bridge-nf-call-arptables': 0,
};

function usesV6(topology: Topology): boolean {
  return topology.spec.ip !== '4';
}
