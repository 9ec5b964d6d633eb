import { type Address, addressAt, bits, type Cidr, cidrContains, sameAddress } from '../../std/address.ts';
import { reserved } from './defaults.ts';

/** How many addresses a network has, capped where counting on makes no sense. */
export function capacity(net: Cidr): number {
  const hostBits = bits(net.base.family) - net.prefix;
  return hostBits >= 31 ? 2 ** 31 : 2 ** hostBits;
}

/** The address `offset` places into the network, `undefined` past its end or on an IPv4 broadcast address. */
export function hostAt(net: Cidr, offset: number): Address | undefined {
  const last = capacity(net) - (net.base.family === 4 ? 2 : 1);
  return offset >= 1 && offset <= last ? addressAt(net, offset) : undefined;
}

/** Why a machine cannot have this address of the network, `undefined` when it can. */
export function whyNotHost(net: Cidr, a: Address): string | undefined {
  if (!cidrContains(net, a)) return 'outside';
  if (sameAddress(a, net.base)) return "the network's own address";
  if (net.base.family === 4 && sameAddress(a, addressAt(net, capacity(net) - 1)))
    return "the network's broadcast address";
  const taken = Object.entries(reserved).find(
    ([, offset]) => offset < capacity(net) && sameAddress(a, addressAt(net, offset)),
  );
  return taken === undefined ? undefined : reservedFor[taken[0] as keyof typeof reserved];
}

const reservedFor = {
  gateway: "the router's address",
  balancer: "the balancer's own address",
  dns: "the DNS server's address",
} as const satisfies Record<keyof typeof reserved, string>;
