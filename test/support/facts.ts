import type { ClusterFacts, Fact, Interface, NodeFacts, NodeReport } from '../../src/facts/types.ts';
import type { Spec, SpecNode } from '../../src/spec/spec.ts';

const unseen = { is: 'unknown', reason: 'nobody looked' } as const;

export function known<T>(value: T): Fact<T> {
  return { is: 'known', value };
}

/** A node about which nothing is known but what `seen` says. */
export function factsOf(seen: Partial<NodeFacts>): NodeFacts {
  return {
    os: unseen,
    kernel: unseen,
    tools: unseen,
    program: unseen,
    interfaces: unseen,
    routes: unseen,
    endpointRoutes: unseen,
    listening: unseen,
    resolver: unseen,
    endpointLookup: unseen,
    hosts: unseen,
    packetRules: unseen,
    datapath: unseen,
    sysctls: unseen,
    swap: unseen,
    memory: unseen,
    disks: unseen,
    identity: unseen,
    clock: unseen,
    units: unseen,
    kubeadm: unseen,
    certificates: unseen,
    kubeconfigs: unseen,
    etcd: unseen,
    api: unseen,
    files: unseen,
    ours: unseen,
    ...seen,
  };
}

export function seen(node: string, facts: Partial<NodeFacts>): NodeReport {
  return { is: 'seen', node, ms: 100, facts: factsOf(facts) };
}

export function clusterFacts(nodes: readonly NodeReport[]): ClusterFacts {
  return { at: '2026-11-23T16:02:00.000Z', ms: 800, nodes, duplicates: [] };
}

/** Names the program in tests: the real name changes with every change of a source file. */
export const program = '0123456789abcdef';

/** An installed node of the spec on which nobody has run anything yet. */
export function freshNode(spec: Spec, node: SpecNode) {
  const tool = (version: string) => ({ path: '/usr/bin/tool', version });
  return {
    tools: known({
      kubeadm: tool(spec.kubernetes.version.text.slice(1)),
      kubelet: tool(spec.kubernetes.version.text.slice(1)),
      ...Object.fromEntries(
        ['bash', 'conntrack', 'containerd', 'curl', 'haproxy', 'ip', 'keepalived', 'nft', 'ss'].map((name) => [
          name,
          tool('1.0'),
        ]),
      ),
    }),
    program: known({
      glibc: '2.36',
      libraries: ['libgcc_s.so.1', 'libstdc++.so.6'],
      users: [],
      versions: [],
    }),
    interfaces: known([eth0(node)]),
    hosts: known({ text: '127.0.0.1 localhost\n', entries: [] }),
    units: known({}),
    files: known({}),
    listening: known([]),
    disks: known([]),
    clock: known({ offsetMs: 12, uncertaintyMs: 8 }),
    kubeadm: known({
      phase: 'nothing',
      because: 'no file of kubeadm',
      present: [],
      staticPods: [],
      etcdData: false,
      kubeletConfigured: false,
    }),
  } satisfies Partial<NodeFacts>;
}

export function freshFacts(spec: Spec): ClusterFacts {
  return clusterFacts(spec.nodes.map((node) => seen(node.name, freshNode(spec, node))));
}

function eth0(node: SpecNode): Interface {
  return {
    name: 'eth0',
    kind: undefined,
    mac: undefined,
    mtu: 1500,
    up: true,
    loopback: false,
    addresses: node.addresses.map((address) => ({ address, prefix: address.family === 4 ? 24 : 64, scope: 'global' })),
  };
}
