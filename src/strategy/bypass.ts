/**
 * What on a node can take the endpoint's traffic past the steering table, as far as it can be seen from links and CNI
 * configurations. `plan` says it, nobody acts on it.
 */
export interface DatapathFacts {
  /** `ip -json -details link show`: name and `linkinfo.info_kind`. */
  readonly links: readonly { readonly name: string; readonly kind: string | undefined }[];
  /** Types of the plugins in /etc/cni/net.d. */
  readonly plugins: readonly string[];
  /** Mode of kube-proxy, where it is known. */
  readonly kubeProxy: 'iptables' | 'nftables' | 'ipvs' | undefined;
}

export interface Bypass {
  readonly what: string;
  /** Whose connections are not steered. */
  readonly who: 'pods' | 'pods with a Service address of the endpoint';
  readonly why: string;
}

interface Known {
  readonly what: string;
  readonly why: string;
  readonly plugins?: readonly string[];
  readonly links?: RegExp;
  readonly kinds?: readonly string[];
}

// Where each was read: facts/load-balancers.md §3 (OVN-Kubernetes: shared gateway mode) and the plugins' own documentation
// of their datapaths. Calico and Cilium have modes that do go through netfilter; which one runs cannot be seen from here.
const known: readonly Known[] = [
  {
    what: 'Cilium',
    plugins: ['cilium-cni'],
    links: /^cilium_(host|net|vxlan|geneve)$/,
    why: 'with eBPF host routing its pods’ packets do not pass netfilter on the host',
  },
  {
    what: 'Calico with eBPF',
    links: /^bpf(in|out)\.cali$/,
    why: 'its pods’ packets are routed by eBPF and do not pass netfilter',
  },
  {
    what: 'OVN-Kubernetes',
    plugins: ['ovn-k8s-cni-overlay'],
    links: /^ovn-k8s-mp\d+$/,
    why: 'in shared gateway mode its pods’ packets leave through Open vSwitch and do not pass netfilter',
  },
  {
    what: 'Antrea',
    plugins: ['antrea'],
    links: /^antrea-gw\d+$/,
    why: 'its pods’ packets may leave through Open vSwitch without passing netfilter',
  },
  {
    what: 'ipvlan or macvlan pods',
    plugins: ['ipvlan', 'macvlan', 'terway', 'azure-vnet'],
    kinds: ['ipvlan', 'ipvtap'],
    why: 'pods with an interface of the network’s own (ENI, ipvlan, macvlan) do not send through the node’s netfilter',
  },
];

/** Everything that is found, in a fixed order. An empty list says that nothing known was seen, not that there is nothing. */
export function bypassesOf({ links, plugins, kubeProxy }: DatapathFacts): readonly Bypass[] {
  const found = known
    .filter(
      (each) =>
        each.plugins?.some((type) => plugins.includes(type)) === true ||
        links.some(
          ({ name, kind }) =>
            each.links?.test(name) === true || (kind !== undefined && each.kinds?.includes(kind) === true),
        ),
    )
    .map(({ what, why }): Bypass => ({ what, who: 'pods', why }));
  const ipvs = kubeProxy === 'ipvs' || links.some(({ name }) => name === 'kube-ipvs0');
  return ipvs
    ? [
        ...found,
        {
          what: 'kube-proxy in IPVS mode',
          who: 'pods with a Service address of the endpoint',
          why: 'an address that a Service has too is taken by IPVS; the steerer refuses such an endpoint',
        },
      ]
    : found;
}
