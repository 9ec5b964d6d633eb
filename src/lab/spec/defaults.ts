import { type Cidr, cidr, type Family } from '../../std/address.ts';
import type { NetworkKind } from './lab-spec.ts';

/**
 * What a lab looks like when nothing else is said: the addresses of the article that the product starts from, and an
 * IPv6 plan whose texts read like the IPv4 one.
 */
export const defaults = {
  name: 'lab',
  tier: 'wire',
  kubernetes: 'v1.37.2',
  ip: '4',
  masters: 3,
  workers: 1,
  clients: 1,
  balancer: 'alibaba-clb',
  domain: 'api.lab.internal',
  port: 6443,
} as const;

interface AddressPlan {
  /** On a segment the balancer is a neighbour of the nodes, so nodes and front end share one subnet. */
  readonly nodes: Readonly<Record<NetworkKind, Cidr>>;
  readonly clients: Cidr;
  readonly pods: Cidr;
  readonly services: Cidr;
  readonly endpoints: readonly [string, string];
  /** Where the first machine of a subnet is, counted from the subnet's base. */
  readonly firstNode: number;
  readonly firstClient: number;
  /** Each node's share of the pod subnet. */
  readonly podPrefix: number;
}

export const addressPlan: Readonly<Record<Family, AddressPlan>> = {
  4: {
    nodes: { routed: cidr('172.16.104.0/24'), segment: cidr('172.16.104.0/23') },
    clients: cidr('172.16.200.0/24'),
    pods: cidr('10.244.0.0/16'),
    services: cidr('10.96.0.0/12'),
    endpoints: ['172.16.105.26', '172.16.105.27'],
    firstNode: 54,
    firstClient: 10,
    podPrefix: 24,
  },
  6: {
    nodes: { routed: cidr('fd00:172:16:104::/64'), segment: cidr('fd00:172:16:104::/63') },
    clients: cidr('fd00:172:16:200::/64'),
    pods: cidr('fd00:10:244::/48'),
    services: cidr('fd00:10:96::/112'),
    endpoints: ['fd00:172:16:105::26', 'fd00:172:16:105::27'],
    firstNode: 0x54,
    firstClient: 0x10,
    podPrefix: 64,
  },
};

/** Places in every node and client subnet that machines cannot have, counted from the subnet's base. */
export const reserved = { gateway: 1, balancer: 2, dns: 3 } as const;
