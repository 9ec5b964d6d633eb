import { describe, expect, test } from 'vitest';
import { causes } from '../../../src/doctor/causes/index.ts';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import type { Fact, NodeFacts } from '../../../src/facts/types.ts';
import type { SpecNode } from '../../../src/spec/spec.ts';
import { address } from '../../../src/std/address.ts';
import { dials, doctorNow, type Edit, evidenceOf } from '../../support/doctor.ts';
import { known } from '../../support/facts.ts';
import { specOf } from '../../support/spec.ts';

const nodes = `
    - { name: m1, role: control-plane, address: 172.16.104.54 }
    - { name: m2, role: control-plane, address: 172.16.104.55 }
    - { name: m3, role: control-plane, address: 172.16.104.56 }
    - { name: w1, role: worker, address: 172.16.104.57 }`;
const cluster = (endpoint: string, rest: string) =>
  specOf(`apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: prod }
spec:
  kubernetes: { version: v1.37.2, podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12, cni: { kind: bridge } }
  endpoint: ${endpoint}
${rest}
  nodes:${nodes}
`);
const byAddress = cluster(
  '{ address: 172.16.105.26, port: 6443 }',
  '  balancer: { backendPort: 6443, hairpin: drop, healthCheck: { protocol: tcp, interval: 2s, timeout: 5s, rise: 3, fall: 3 } }',
);
const byName = cluster(
  '{ domain: api.prod.example, port: 6443, addresses: [172.16.105.26] }',
  '  balancer: { backendPort: 6443, hairpin: drop }',
);
const withoutBalancer = cluster('{ address: 172.16.104.26, port: 9443 }', '  strategy: keepalived-vip');
const near = cluster('{ address: 172.16.104.26, port: 6443 }', '  balancer: { backendPort: 6443, hairpin: local }');
const specs = { byAddress, byName, withoutBalancer, near };

function value<T>(fact: Fact<T>): T {
  if (fact.is === 'unknown') throw new Error(fact.reason);
  return fact.value;
}

type FactsEdit = NonNullable<Edit['facts']>;
type LookEdit = NonNullable<Edit['look']>;

const master = (node: SpecNode) => node.role === 'control-plane';
const on = (name: string, edit: Edit) => (node: SpecNode) => (node.name === name ? edit : {});
const holding =
  (text: string, device = 'eth0', scope = 'global'): FactsEdit =>
  (facts) => ({
    interfaces: known([
      ...value(facts.interfaces).filter(({ name }) => name !== device),
      {
        name: device,
        kind: undefined,
        mac: undefined,
        mtu: 1500,
        up: true,
        loopback: device === 'lo',
        addresses: [
          ...(value(facts.interfaces).find(({ name }) => name === device)?.addresses ?? []),
          { address: address(text), prefix: 32, scope },
        ],
      },
    ]),
  });
const phase = (to: 'nothing' | 'half-join', facts: NodeFacts): Partial<NodeFacts> => ({
  kubeadm: known({ ...value(facts.kubeadm), phase: to, staticPods: [] }),
  listening: known([]),
});
const unit =
  (name: string, active: string): FactsEdit =>
  (facts) => ({
    units: known({ ...value(facts.units), [name]: { active, enabled: 'enabled' } }),
  });
const instance =
  (routerId: number, addresses: readonly string[], unicastPeers: readonly string[] = []): LookEdit =>
  () => ({
    keepalived: [
      {
        path: '/etc/keepalived/keepalived.conf',
        instances: [
          { name: 'VI_1', state: 'BACKUP', interface: 'eth0', routerId, priority: 100, unicastPeers, addresses },
        ],
      },
    ],
  });
/** How everybody gets on with one master when it is dialled directly. */
const dialling =
  (name: string, other: Parameters<typeof dials>[2]): LookEdit =>
  (look) => ({
    dials: {
      ...look.dials,
      masters: look.dials.masters.map((one) =>
        one.master === name ? { master: name, ...dials(one.to, one.tries, other) } : one,
      ),
    },
  });
const endpointDials =
  (other: Parameters<typeof dials>[2]): LookEdit =>
  (look) => ({ dials: { ...look.dials, endpoint: dials('172.16.105.26:6443', 12, other) } });
const nobodyServed = endpointDials({ refused: 12 });

const cases: readonly (readonly [
  cause: string,
  spec: keyof typeof specs,
  edit: (node: SpecNode) => Edit,
  saw: string,
])[] = [
  [
    'endpoint-hairpins',
    'byAddress',
    (node) => (master(node) ? { look: endpointDials({ timedOut: 4 }) } : {}),
    'm1: 8 of 12 connections to 172.16.105.26:6443 answered (w1 12 of 12), and every apiserver answers it directly',
  ],
  [
    'vip-before-join',
    'byAddress',
    on('m2', { facts: (facts) => ({ ...holding('172.16.105.26')(facts), ...phase('nothing', facts) }) }),
    'm2: 172.16.105.26:6443 is on eth0, nothing listens there, and kubeadm has not joined this node',
  ],
  [
    'name-self-before-join',
    'byName',
    on('m2', {
      facts: (facts) => ({
        ...phase('nothing', facts),
        hosts: known({ text: '', entries: [{ address: '127.0.0.1', names: ['api.prod.example'], line: 3 }] }),
      }),
    }),
    'm2: /etc/hosts:3 says 127.0.0.1 api.prod.example, and kubeadm has not joined this node',
  ],
  [
    'stale-pod-hosts',
    'byName',
    on('m2', {
      look: () => ({
        ownHosts: ['127.0.0.1'],
        podHosts: [
          { pod: 'kube-system/kube-proxy-x2p', static: false, addresses: ['172.16.105.26'] },
          { pod: 'kube-system/etcd-m2', static: true, addresses: [] },
        ],
      }),
    }),
    'm2: kube-system/kube-proxy-x2p: api.prod.example has 172.16.105.26 there, and 127.0.0.1 in /etc/hosts',
  ],
  [
    'ipvs-owns-endpoint',
    'byAddress',
    on('m1', { facts: holding('172.16.105.26', 'kube-ipvs0') }),
    'm1: kube-ipvs0 has the address of 172.16.105.26:6443',
  ],
  [
    'haproxy-port-clash',
    'byAddress',
    on('m3', {
      facts: (facts) => ({
        listening: known(
          value(facts.listening).map((one) => (one.port === 6443 ? { ...one, programs: ['haproxy'] } : one)),
        ),
      }),
      look: dialling('m3', { failed: 2 }),
    }),
    "m3: haproxy listens on 6443, the apiserver's port",
  ],
  [
    'vrrp-blocked',
    'withoutBalancer',
    (node) =>
      master(node)
        ? {
            facts: holding('172.16.104.26'),
            look: (look) => ({
              ...instance(51, ['172.16.104.26'])(look),
              drops: ['inet filter input: ip protocol vrrp drop'],
            }),
          }
        : {},
    'm1: drops VRRP (inet filter input: ip protocol vrrp drop), and m1, m2, m3 hold the address at once',
  ],
  [
    'vrrp-router-id',
    'withoutBalancer',
    (node) => ({ look: instance(51, [node.name === 'm2' ? '172.16.104.99' : '172.16.104.26']) }),
    'm2: router id 51 is for 172.16.104.99 here, and for 172.16.104.26 on m1',
  ],
  [
    'split-brain',
    'withoutBalancer',
    (node) =>
      master(node)
        ? {
            ...(node.name === 'm3' ? {} : { facts: holding('172.16.104.26') }),
            look: instance(51, ['172.16.104.26'], ['10.9.9.9']),
          }
        : {},
    "m1: has the endpoint's address, with unicast peers 10.9.9.9",
  ],
  [
    'all-master-no-balancer',
    'withoutBalancer',
    (node) =>
      master(node)
        ? { facts: holding('172.16.104.26'), look: instance(50 + Number(node.name[1]), ['172.16.104.26']) }
        : {},
    "m1: has the endpoint's address, as have the others by configuration",
  ],
  [
    'endpoint-not-in-certificate',
    'byAddress',
    on('m2', {
      facts: (facts) => ({
        certificates: known(value(facts.certificates).map((one) => ({ ...one, addresses: ['172.16.104.55'] }))),
      }),
    }),
    'm2: /etc/kubernetes/pki/apiserver.crt is for kubernetes, m2, 172.16.104.55, not for 172.16.105.26',
  ],
  [
    'certificate-expired',
    'byAddress',
    on('m1', {
      facts: (facts) => ({
        certificates: known(value(facts.certificates).map((one) => ({ ...one, notAfter: '2026-11-26T00:00:00.000Z' }))),
      }),
    }),
    'm1: /etc/kubernetes/pki/apiserver.crt expired 2026-11-26T00:00:00.000Z',
  ],
  [
    'clock-wrong',
    'byAddress',
    on('m2', { facts: () => ({ clock: known({ offsetMs: -600_000, uncertaintyMs: 40 }) }) }),
    "m2: its clock is 10 m 00 s behind the other nodes'",
  ],
  [
    'balancer-wrong-port',
    'byAddress',
    (node) => ({
      look: (look) => ({
        ...nobodyServed(look),
        refusedHere: master(node) ? [{ from: '100.64.0.10', port: 6444 }] : [],
      }),
    }),
    'm1: 100.64.0.10 knocks at port 6444, where nothing listens; 172.16.105.26:6443 answers nobody',
  ],
  [
    'checks-blocked',
    'byAddress',
    (node) => ({
      look: (look) => ({
        ...nobodyServed(look),
        drops: master(node) ? ['inet fw in: tcp dport 6443 ip saddr != 172.16.104.0/24 drop'] : [],
      }),
    }),
    'm1: inet fw in: tcp dport 6443 ip saddr != 172.16.104.0/24 drop',
  ],
  [
    'balancer-tcp-check',
    'byAddress',
    () => ({
      look: (look) => ({
        dials: {
          endpoint: dials('172.16.105.26:6443', 12, { statuses: [200, 500] }),
          masters: (dialling('m2', { statuses: [500] })(look).dials ?? look.dials).masters,
        },
      }),
    }),
    'm2: /readyz answers 500 there, and clients of the endpoint get such answers',
  ],
  [
    'vip-answers-arp',
    'near',
    on('m1', { facts: holding('172.16.104.26') }),
    'm1: 172.16.104.26:6443 is on eth0 with scope global, arp_ignore is 0',
  ],
  [
    'reverse-path-filter',
    'byAddress',
    on('w1', {
      facts: (facts) => ({
        sysctls: known({ ...value(facts.sysctls), 'net.ipv4.conf.all.rp_filter': '1' }),
        endpointRoutes: known(value(facts.endpointRoutes).map((one) => ({ ...one, device: 'eth1' }))),
      }),
      look: endpointDials({ timedOut: 12 }),
    }),
    "w1: the route to the endpoint leaves by eth1, the node's address is on eth0, rp_filter is 1",
  ],
  [
    'wrong-advertise-address',
    'byAddress',
    on('m2', {
      facts: (facts) => ({
        kubeadm: known({
          ...value(facts.kubeadm),
          staticPods: [{ name: 'kube-apiserver', image: undefined, flags: { 'advertise-address': '10.0.0.7' } }],
        }),
      }),
    }),
    "m2: --advertise-address=10.0.0.7; the node's address is 172.16.104.55",
  ],
  [
    'half-joined-etcd',
    'byAddress',
    (node) => ({
      facts: (facts) =>
        facts.etcd.is === 'unknown'
          ? {}
          : {
              ...(node.name === 'm3' ? phase('half-join', facts) : {}),
              etcd: known({
                clusterId: '1',
                members: value(facts.etcd).members.map((one) => (one.name === 'm3' ? { ...one, name: '' } : one)),
              }),
            },
    }),
    'm3: etcd member 3 (https://172.16.104.56:2380) was added and never started',
  ],
  [
    'cgroup-driver-mismatch',
    'byAddress',
    on('w1', {
      facts: () => ({ listening: known([]) }),
      look: () => ({ kubelet: { cgroupDriver: 'cgroupfs', failSwapOn: undefined } }),
    }),
    'w1: the kubelet says cgroupfs, containerd says systemd, and the kubelet does not run',
  ],
  [
    'swap-on',
    'byAddress',
    on('w1', {
      facts: (facts) => ({
        ...unit('kubelet.service', 'activating')(facts),
        swap: known([{ device: '/swapfile', bytes: 2 ** 31 }]),
      }),
    }),
    'w1: /swapfile (2.0 GiB) is in use, and kubelet.service is activating',
  ],
  [
    'cni-missing',
    'byAddress',
    on('w1', { look: () => ({ cniFiles: [] }) }),
    'w1: /etc/cni/net.d has no configuration, and the node is not Ready',
  ],
  [
    'conntrack-full',
    'byAddress',
    on('m1', {
      facts: (facts) => ({ sysctls: known({ ...value(facts.sysctls), 'net.netfilter.nf_conntrack_count': '262144' }) }),
    }),
    'm1: 262144 of 262144 entries are in use',
  ],
  [
    'hung-apiserver',
    'byAddress',
    (node) => ({
      look: (look) => ({
        dials: {
          endpoint: dials('172.16.105.26:6443', 12, node.name === 'w1' ? { silent: 4 } : { silent: 3, timedOut: 1 }),
          masters: (dialling('m2', { silent: 2 })(look).dials ?? look.dials).masters,
        },
      }),
    }),
    'm2: accepts connections and says nothing, to m1, m2, m3, w1',
  ],
  [
    'pinned-kubeconfig',
    'byAddress',
    (node) => ({
      look: dialling('m3', { refused: 2 }),
      ...(node.name === 'm1'
        ? {
            facts: () => ({
              kubeconfigs: known([
                { path: '/root/.kube/config', server: 'https://172.16.104.56:6443', caFingerprint: 'aa' },
              ]),
            }),
          }
        : node.name === 'm3'
          ? { facts: () => ({ listening: known([]) }) }
          : {}),
    }),
    'm1: /root/.kube/config dials https://172.16.104.56:6443, which is m3, and m3 answers nobody',
  ],
  [
    'kubelet-down',
    'byAddress',
    on('w1', { facts: unit('kubelet.service', 'inactive') }),
    'w1: kubelet.service is inactive (enabled)',
  ],
  [
    'runtime-down',
    'byAddress',
    on('w1', { facts: unit('containerd.service', 'failed') }),
    'w1: containerd.service is failed',
  ],
  [
    'etcd-quorum-lost',
    'byAddress',
    (node) => ({
      look: (look) => ({
        dials: {
          endpoint: dials('172.16.105.26:6443', 12, { refused: 12 }),
          masters: look.dials.masters.map(({ master: name, to }) => ({
            master: name,
            ...dials(to, 2, { refused: 2 }),
          })),
        },
      }),
      ...(node.name === 'm2' || node.name === 'm3'
        ? { facts: (): Partial<NodeFacts> => ({ listening: known([]), etcd: { is: 'unknown', reason: 'no answer' } }) }
        : {}),
    }),
    'm2: etcd does not listen (2 of 3 members), and no apiserver is ready',
  ],
  [
    'apiserver-down',
    'byAddress',
    (node) => ({
      look: dialling('m2', { refused: 2 }),
      ...(node.name === 'm2' ? { facts: () => ({ listening: known([]) }) } : {}),
    }),
    'm2: nothing listens on 6443; m1, m2, m3, w1 are refused',
  ],
  [
    'name-does-not-resolve',
    'byName',
    on('w1', {
      facts: () => ({ endpointLookup: known([{ name: 'api.prod.example', addresses: [], fromHosts: false }]) }),
    }),
    'w1: api.prod.example resolves to nothing',
  ],
  [
    'disk-full',
    'byAddress',
    on('m3', {
      facts: () => ({
        disks: known([{ path: '/var/lib/etcd', mount: '/var', totalBytes: 1e10, freeBytes: 4096, freeInodes: 10 }]),
      }),
    }),
    'm3: /var has 0 MiB and 10 inodes left (/var/lib/etcd)',
  ],
  [
    'node-unreachable',
    'byAddress',
    (node) => (node.name === 'm3' ? { gone: true } : { look: dialling('m3', { timedOut: 2 }) }),
    'm3: does not answer; its apiserver answers nobody either',
  ],
  [
    'strategy-unit-down',
    'byAddress',
    on('m2', { facts: unit('hairpin-steer.service', 'failed') }),
    'm2: hairpin-steer.service is failed',
  ],
];

describe('causes on live nodes', () => {
  test.each(cases)('%s is named first', (cause, spec, edit, saw) => {
    const { findings } = diagnose(evidenceOf(specs[spec], edit));
    const [first] = findings;
    expect(findings.map((one) => one.cause)[0]).toBe(cause);
    expect(`${first?.seen[0]?.where}: ${first?.seen[0]?.text}`).toBe(saw);
  });

  test.each(Object.entries(specs))('a cluster in which all is well gets a clean bill: %s', (_name, spec) => {
    expect(diagnose(evidenceOf(spec))).toEqual({ findings: [], symptoms: [], missing: [] });
  });

  test('an apiserver that stumbles for a second is not what a TCP check hides', () => {
    const stumbles = evidenceOf(byAddress, () => ({
      look: (look) => ({
        dials: {
          endpoint: dials('172.16.105.26:6443', 12, { statuses: [200, 500] }),
          masters: (dialling('m2', { statuses: [200, 500] })(look).dials ?? look.dials).masters,
        },
      }),
    }));
    expect(diagnose(stumbles).findings).toEqual([]);
  });

  test('late is not gone', () => {
    const { live } = evidenceOf(byAddress, on('m3', { gone: true }));
    if (live === undefined) throw new Error('no live evidence');
    const late = {
      is: 'unreachable' as const,
      node: 'm3',
      ms: 4500,
      code: 'NODE_TIMEOUT',
      reason: 'm3 had not answered after 4.5 s',
      cause: undefined,
      hint: undefined,
    };
    const evidence = { live: { ...live, facts: { ...live.facts, nodes: [...live.facts.nodes, late] } }, logs: [] };
    expect(diagnose(evidence)).toMatchObject({ findings: [], missing: ['m3: does not answer'] });
  });

  test('what was not seen is no evidence', () => {
    const unseen = { is: 'unknown', reason: 'it took too long' } as const;
    const evidence = evidenceOf(byAddress, () => ({
      facts: (facts) => Object.fromEntries(Object.keys(facts).map((key) => [key, unseen])),
      look: () => ({
        kubelet: { cgroupDriver: 'systemd', failSwapOn: undefined },
        systemdCgroup: false,
        cniFiles: [],
        dials: { endpoint: undefined, masters: [] },
      }),
    }));
    expect(diagnose(evidence).findings).toEqual([]);
  });

  test('clones share what has to be their own', () => {
    const { live } = evidenceOf(byAddress);
    if (live === undefined) throw new Error('no live evidence');
    const duplicates = [{ what: 'machine-id' as const, value: '1234', nodes: ['m1', 'm2'] }];
    const evidence = { live: { ...live, facts: { ...live.facts, duplicates } }, logs: [] };
    expect(diagnose(evidence).findings).toMatchObject([
      { cause: 'same-machine-id', seen: [{ text: 'machine-id 1234 on m1, m2' }] },
    ]);
  });

  test('every cause that judges live nodes has a case here', () => {
    const covered = new Set([...cases.map(([cause]) => cause), 'same-machine-id']);
    expect(causes.filter(({ id, judge }) => judge !== undefined && !covered.has(id)).map(({ id }) => id)).toEqual([]);
  });

  test('a check that is not ok and that no cause explains is a symptom', () => {
    const { live } = evidenceOf(byAddress);
    if (live === undefined) throw new Error('no live evidence');
    const verdict = { is: 'not-ok' as const, want: 'x', saw: '0 CoreDNS pods are ready' };
    const checks = [{ name: 'coredns-ready', title: 'CoreDNS is ready', verdict, ms: 1 }];
    expect(diagnose({ live: { ...live, checks }, logs: [] })).toEqual({
      findings: [],
      symptoms: [{ check: 'CoreDNS is ready', saw: '0 CoreDNS pods are ready' }],
      missing: [],
    });
  });

  test('old lines in a log are nothing while the nodes are well', () => {
    const { live } = evidenceOf(byAddress);
    const [sign] = causes.find(({ id }) => id === 'endpoint-hairpins')?.signs ?? [];
    const entry = {
      source: 'm1: kubeadm.log',
      line: 1,
      at: doctorNow.getTime(),
      node: 'm1',
      component: 'kubeadm' as const,
      text: sign?.example ?? '',
    };
    expect(diagnose({ live, logs: [entry] }).findings).toEqual([]);
  });
});
