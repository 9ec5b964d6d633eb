import { describe, expect, test } from 'vitest';
import type { Certificate, KubeadmPhase, NodeFacts, ProgramHost } from '../../../src/facts/types.ts';
import { makePlan } from '../../../src/plan/make-plan.ts';
import type { Spec } from '../../../src/spec/spec.ts';
import { makeSpec } from '../../support/any-spec.ts';
import { clusterFacts, freshNode, known, program, seen } from '../../support/facts.ts';

const spec = makeSpec({
  masters: 3,
  workers: 1,
  ip: 4,
  version: 'v1.37.2',
  bundle: false,
  cni: 'none',
  strategy: { name: 'steer', workers: false },
});

const tool = (version: string) => ({ path: '/usr/bin/x', version });
const goodTools = {
  kubeadm: tool('1.37.2'),
  kubelet: tool('1.37.2'),
  containerd: tool('2'),
  nft: tool('1'),
  bash: tool('5'),
  ip: tool('6'),
  ss: tool('6'),
  conntrack: tool('1.4'),
};
const phase = (name: KubeadmPhase) =>
  known({ phase: name, because: '', present: [], staticPods: [], etcdData: false, kubeletConfigured: true });
const host = (own: Partial<ProgramHost>) =>
  known({ glibc: '2.36', libraries: ['libgcc_s.so.1', 'libstdc++.so.6'], users: [], versions: [], ...own });
const machine = (name: string) =>
  known({
    id: 'debian',
    idLike: [],
    versionId: '12',
    prettyName: 'Debian',
    machine: name,
    hostname: 'm2',
    cpus: 1,
    systemd: true,
  });
const ca = (fingerprint: string): Certificate => ({
  path: '/etc/kubernetes/pki/ca.crt',
  subject: 'kubernetes',
  issuer: 'kubernetes',
  notBefore: '',
  notAfter: '',
  dnsNames: [],
  addresses: [],
  fingerprint,
});

/** Blockers when m2 differs from a fresh node by `facts` (and m1 by `leader`). */
function blockers(facts: Partial<NodeFacts>, opts: { leader?: Partial<NodeFacts>; spec?: Spec } = {}) {
  const cluster = opts.spec ?? spec;
  const nodes = cluster.nodes.map((node) =>
    seen(node.name, {
      ...freshNode(cluster, node),
      ...(node.name === 'm2' ? facts : {}),
      ...(node.name === 'm1' ? opts.leader : {}),
    }),
  );
  const plan = makePlan({
    spec: cluster,
    facts: clusterFacts(nodes),
    measured: 'drop',
    acceptUnsafe: new Set(),
    program,
  });
  return plan.blockers.map(({ code, node, problem }) => [code, node, problem]);
}

describe('blockers', () => {
  test('fresh nodes have none', () => {
    expect(blockers({})).toEqual([]);
  });

  test.each([
    {
      name: 'a clock that is 10 minutes off',
      facts: { clock: known({ offsetMs: -600_000, uncertaintyMs: 20 }) },
      want: ['CLOCK_OFF', 'm2', "the clock of m2 is 10 m 00 s behind this machine's"],
    },
    {
      name: 'an old kubeadm',
      facts: { tools: known({ ...goodTools, kubeadm: tool('1.34.4') }) },
      want: ['WRONG_VERSION', 'm2', 'kubeadm on m2 is v1.34.4, the cluster is to be v1.37.2'],
    },
    {
      name: 'no kubelet',
      facts: { tools: known(Object.fromEntries(Object.entries(goodTools).filter(([name]) => name !== 'kubelet'))) },
      want: ['NOT_PREPARED', 'm2', 'm2 has no kubelet'],
    },
    {
      name: 'no conntrack',
      facts: { tools: known(Object.fromEntries(Object.entries(goodTools).filter(([name]) => name !== 'conntrack'))) },
      want: ['TOOL_MISSING', 'm2', 'strategy steer needs conntrack, and m2 has it not'],
    },
    {
      name: 'an old glibc',
      facts: { program: host({ glibc: '2.17' }) },
      want: ['PROGRAM_LIBC', 'm2', "hairpin's agent needs glibc 2.28, and m2 has glibc 2.17"],
    },
    {
      name: 'musl',
      facts: { program: host({ glibc: undefined }) },
      want: ['PROGRAM_LIBC', 'm2', "hairpin's agent needs glibc 2.28, and m2 has another C library"],
    },
    {
      name: 'no C++ library',
      facts: { program: host({ libraries: ['libgcc_s.so.1'] }) },
      want: ['PROGRAM_LIBRARY', 'm2', "hairpin's agent needs libstdc++.so.6, and m2 has it not"],
    },
    {
      name: 'arm64 without the library that cannot travel along',
      facts: { os: machine('aarch64'), program: host({}) },
      want: ['PROGRAM_LIBRARY', 'm2', "hairpin's agent needs libatomic.so.1, and m2 has it not"],
    },
    {
      name: 'a machine that Node.js is not made for',
      facts: { os: machine('riscv64') },
      want: ['PROGRAM_ARCH', 'm2', "hairpin's agent is not made for riscv64, which m2 is"],
    },
    {
      name: 'a port in use',
      facts: {
        listening: known([
          { protocol: 'tcp' as const, address: '0.0.0.0', port: 6443, programs: ['nginx'], pids: [9] },
        ]),
      },
      want: ['PORT_IN_USE', 'm2', 'port 6443 on m2 is taken by nginx (0.0.0.0:6443)'],
    },
    {
      name: 'a full disk',
      facts: {
        disks: known([{ path: '/var/lib', mount: '/', totalBytes: 1e10, freeBytes: 5_000_000, freeInodes: 90_000 }]),
      },
      want: ['DISK_FULL', 'm2', '/ on m2 has 4 MiB and 90000 inodes free; etcd and images need 512 MiB at least'],
    },
    {
      name: 'a worker that is to be a master',
      facts: { kubeadm: phase('worker') },
      want: ['ROLE_CHANGED', 'm2', 'm2 is a worker node of its cluster and a control-plane node in the spec'],
    },
  ])('$name', ({ facts, want }) => {
    expect(blockers(facts)).toEqual([want]);
  });

  test('a master of another cluster', () => {
    const facts = { kubeadm: phase('control-plane'), certificates: known([ca('bb')]) };
    const leader = { kubeadm: phase('control-plane'), certificates: known([ca('aa')]) };
    expect(blockers(facts, { leader })).toEqual([
      ['OTHER_CLUSTER', 'm2', 'm2 is in a cluster already: its CA is not the one of m1'],
    ]);
  });

  test('a cluster whose endpoint is another one', () => {
    const kubeconfig = {
      path: '/etc/kubernetes/admin.conf',
      server: 'https://10.0.0.1:6443',
      caFingerprint: undefined,
    };
    expect(blockers({ kubeadm: phase('control-plane'), kubeconfigs: known([kubeconfig]) })).toEqual([
      [
        'ENDPOINT_CHANGED',
        'm2',
        "admin.conf of m2 dials https://10.0.0.1:6443, the spec's endpoint is https://172.17.105.26:6443",
      ],
    ]);
  });

  test('a node that is down, with the reason; the plan for the others is still shown', () => {
    const nodes = spec.nodes.map((node) =>
      node.name === 'm3'
        ? {
            is: 'unreachable' as const,
            node: 'm3',
            ms: 5000,
            code: 'NODE_UNREACHABLE',
            reason: 'Cannot reach m3',
            cause: 'connection refused',
            hint: 'is it up?',
          }
        : seen(node.name, freshNode(spec, node)),
    );
    const plan = makePlan({ spec, facts: clusterFacts(nodes), measured: 'drop', acceptUnsafe: new Set(), program });
    expect(plan.blockers).toEqual([
      { code: 'NODE_UNREACHABLE', node: 'm3', problem: 'Cannot reach m3: connection refused', hint: 'is it up?' },
    ]);
  });

  test('the reason why a strategy does not fit', () => {
    const unfit = { ...spec, strategy: { name: 'direct' as const } };
    expect(blockers({}, { spec: unfit })).toEqual([
      [
        'DIRECT_NO_HAIRPIN',
        undefined,
        expect.stringContaining('strategy direct does not fit: a connection of a master'),
      ],
    ]);
  });

  test('a feature gate that this kubeadm does not have', () => {
    const documents = [
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'ClusterConfiguration',
        featureGates: { ControlPlaneKubeletLocalMode: true },
      },
    ];
    expect(blockers({}, { spec: { ...spec, kubeadm: { documents } } }).map(([code]) => code)).toEqual(['KUBEADM_GATE']);
  });
});
