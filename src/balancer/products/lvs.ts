import { assumed, documented, type Product } from './product.ts';

const ground = 'keepalived checks as its script says; a usual one, from memory';

const lvs = {
  frontEnd: documented('address', 'kb.linux-vs.org'),
  network: 'segment',
  terminateTls: false,
  scheduling: assumed('round-robin', 'the first scheduler of every example (rr)'),
  check: {
    protocol: assumed('tcp', ground),
    path: '/readyz',
    intervalMs: assumed(6_000, ground),
    timeoutMs: assumed(3_000, ground),
    rise: assumed(1, ground),
    fall: assumed(2, ground),
  },
  probeSource: assumed('balancer', "the director's own address, as any program on it"),
  ejectedFlows: assumed(
    'keep',
    'with `expire_nodest_conn` off, the default, entries of a removed server stay; from memory',
  ),
  drainMs: assumed(0, 'no statement found'),
  allDown: assumed('refuse', 'no server, no entry: the director answers itself; from memory'),
  idleMs: assumed(900_000, 'IPVS TCP timeout, from memory'),
} as const satisfies Partial<Product>;

/** Direct return: the servers have the front end's address themselves and answer past the director. */
export const lvsDr: Product = {
  ...lvs,
  name: 'lvs-dr',
  title: 'Linux Virtual Server, direct routing',
  behaviour: documented('local', 'austintek LVS-HOWTO arp_problem; kb.linux-vs.org'),
};

/** The director translates the destination only, so replies to neighbours bypass it. */
export const lvsNat: Product = {
  ...lvs,
  name: 'lvs-nat',
  title: 'Linux Virtual Server, NAT, one-armed',
  behaviour: documented('one-arm', 'kb.linux-vs.org; facts/load-balancers.md run5'),
};
