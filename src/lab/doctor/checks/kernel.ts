import type { Finding, HostCheck } from '../check.ts';

/** A must of the lab that a trial has an answer to. */
function tried(
  trial: string,
  about: Pick<HostCheck, 'title' | 'tiers'> & { readonly remedy: string; readonly saw: string },
): HostCheck {
  return {
    name: `kernel/${trial}`,
    title: about.title,
    tiers: about.tiers,
    async ask({ trials }): Promise<Finding> {
      if (!trials.has(trial)) return { is: 'absent', saw: 'could not be tried', remedy: 'run as root' };
      const said = trials.get(trial);
      return said === undefined ? { is: 'ok', saw: about.saw } : { is: 'absent', saw: said, remedy: about.remedy };
    },
  };
}

/** What parts of the lab use where it is there and what they do without it. */
function feature(trial: string, title: string, without: string): HostCheck {
  return {
    name: `feature/${trial}`,
    title,
    tiers: ['wire', 'node'],
    async ask({ trials }): Promise<Finding> {
      const there = trials.has(trial) && trials.get(trial) === undefined;
      return there ? { is: 'ok', saw: 'the kernel does it' } : { is: 'note', saw: `the kernel does not: ${without}` };
    },
  };
}

const both = ['wire', 'node'] as const;

export const kernelChecks: readonly HostCheck[] = [
  tried('veth', {
    title: 'namespaces can be joined by a pair of links',
    tiers: both,
    saw: 'a veth pair was made',
    remedy: 'use a kernel with network namespaces and CONFIG_VETH (`modprobe veth`)',
  }),
  tried('bridge', {
    title: 'a segment can be made of a bridge',
    tiers: both,
    saw: 'a bridge was made',
    remedy: 'use a kernel with CONFIG_BRIDGE (`modprobe bridge`)',
  }),
  tried('nftables', {
    title: 'the kernel takes the kind of nftables rules that the balancer is made of',
    tiers: both,
    saw: 'NAT by map, timed sets and connection state were taken',
    remedy:
      'use a kernel with CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT, CONFIG_NFT_CT and CONFIG_NFT_NUMGEN, and nft ≥ 1.0',
  }),
  tried('conntrack', {
    title: 'connections can be listed and deleted',
    tiers: both,
    saw: 'conntrack -L answered',
    remedy: 'apt install conntrack; use a kernel with CONFIG_NF_CT_NETLINK',
  }),
  tried('overlay', {
    title: 'the state directory can hold the upper layer of an overlay',
    tiers: ['node'],
    saw: 'an overlay was mounted and written to',
    remedy: 'point HAIRPIN_STATE at ext4 or xfs that is not an overlay itself (in a container: a volume)',
  }),
];

export const featureChecks: readonly HostCheck[] = [
  feature(
    'socket-destroy',
    'sockets can be destroyed (INET_DIAG_DESTROY)',
    'established flows are not reset, they time out',
  ),
  feature('tbf', 'links can be made slow (tbf)', '`lab break slow-link` is not possible'),
  feature('netem', 'links can lose and delay packets (netem)', 'loss and delay are not among the faults'),
  feature('macvlan', 'macvlan links can be made', 'not used by the lab itself'),
  feature(
    'ipvs',
    'IPVS is in the kernel',
    'kube-proxy runs in iptables or nftables mode, LVS is emulated with nftables',
  ),
];
