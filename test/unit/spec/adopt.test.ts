import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import { adopt } from '../../../src/spec/init/adopt.ts';
import { adoptedNodes } from '../../../src/spec/init/adopted-nodes.ts';
import {
  type ClusterEvidence,
  collectEvidence,
  type MasterEvidence,
  type MasterProbe,
} from '../../../src/spec/init/evidence.ts';
import { haproxyPorts, hostsEntries, readIpAddr } from '../../../src/spec/init/host-files.ts';
import { readKeepalivedConf } from '../../../src/spec/init/keepalived-conf.ts';
import { printClusterFile } from '../../../src/spec/init/print.ts';
import { repoRoot } from '../../support/imports.ts';
import { readSpecText } from '../../support/spec.ts';

interface FakeNode {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly worker?: boolean;
  readonly kubelet?: string;
  readonly ready?: boolean;
}

const three: readonly FakeNode[] = [54, 55, 56].map((n, i) => ({ name: `m${i + 1}`, addresses: [`172.16.104.${n}`] }));
const worker: FakeNode = { name: 'w1', addresses: ['172.16.104.57'], worker: true };

/** As `kubectl get nodes -o json`, without what nobody reads. Later nodes come first, as nothing promises an order. */
function nodesJson(nodes: readonly FakeNode[]): string {
  const items = nodes.map((node, i) => ({
    metadata: {
      name: node.name,
      creationTimestamp: `2026-11-23T10:0${i}:00Z`,
      labels: node.worker === true ? {} : { 'node-role.kubernetes.io/control-plane': '' },
    },
    status: {
      addresses: [
        ...node.addresses.map((address) => ({ type: 'InternalIP', address })),
        { type: 'Hostname', address: node.name },
      ],
      nodeInfo: { kubeletVersion: node.kubelet ?? 'v1.37.2' },
      conditions: [{ type: 'Ready', status: node.ready === false ? 'Unknown' : 'True' }],
    },
  }));
  return JSON.stringify({ kind: 'List', items: items.toReversed() });
}

const configuration = (endpoint: string) => `apiServer: {}
apiVersion: kubeadm.k8s.io/v1beta4
clusterName: kubernetes
${endpoint === '' ? '' : `controlPlaneEndpoint: ${endpoint}\n`}imageRepository: registry.aliyuncs.com/google_containers
kind: ClusterConfiguration
kubernetesVersion: v1.37.2
networking:
  dnsDomain: cluster.local
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12
`;

/** As the article shows it: `ip a | grep eth0`, with the VIP or without. */
const ipAddr = (own: string, vip?: string) => `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    inet ${own}/24 brd 172.16.104.255 scope global eth0
${vip === undefined ? '' : `    inet ${vip}/32 scope global eth0\n`}    inet6 fe80::1/64 scope link
`;

const keepalived = (extra: string) => `! Configuration File for keepalived
global_defs { router_id LVS_K8S }
vrrp_script check { script "/etc/keepalived/check.sh" interval 3 }
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 52
    priority 100
    authentication { auth_type PASS
      auth_pass 1234
    }
    ${extra}
    virtual_ipaddress {
        172.16.105.26/32 dev eth0   # the SLB
    }
}
`;
const haproxy = 'defaults\n  mode tcp\nfrontend api\n  bind *:9443\n  default_backend m\n';

function evidenceOf(
  endpoint: string,
  masters: readonly Omit<MasterEvidence, 'node'>[],
  nodes = [...three, worker],
): ClusterEvidence {
  const named = masters.map(
    (master, i): MasterEvidence => ({ node: `m${i + 1}`, addresses: ipAddr(`172.16.104.${54 + i}`), ...master }),
  );
  return {
    clusterConfiguration: configuration(endpoint),
    nodes: nodesJson(nodes),
    apiServerPort: 6443,
    masters: named,
  };
}

function adopted(evidence: ClusterEvidence) {
  const { file, remarks } = adopt(evidence);
  return {
    endpoint: file.spec.endpoint,
    strategy: file.spec.strategy,
    balancer: file.spec.balancer,
    remarks: remarks.map((r) => r.text),
  };
}

const vip = '172.16.105.26';
const hairpin = { hairpin: 'auto' };

describe('adopt()', () => {
  test('the whole file of a cluster with the VIP bound on two of three masters', async () => {
    const bound = [54, 55].map((n) => ({ addresses: ipAddr(`172.16.104.${n}`, vip) }));
    const { file, remarks } = adopt(evidenceOf(`${vip}:6443`, [...bound, {}]), { user: 'root' });
    const text = printClusterFile(file, remarks);
    await expect(text).toMatchFileSnapshot('../../golden/init/adopted.yaml');
    expect(readSpecText(text).ok).toBe(true);
  });

  test.each([
    {
      name: 'nothing was done about it',
      evidence: evidenceOf(`${vip}:6443`, [{}, {}, {}]),
      endpoint: { address: vip, port: 6443 },
      strategy: 'auto',
      remarks: [
        'Found nothing on m1, m2 and m3 that helps masters to reach the endpoint. `hairpin probe` shows what they lose.',
      ],
    },
    {
      name: 'a made-up name in hosts files: to loopback on two masters, to the VIP on the third',
      evidence: evidenceOf('cluster.k8sapiserver:6443', [
        { hosts: '127.0.0.1 localhost\n127.0.0.1 cluster.k8sapiserver\n' },
        { hosts: '127.0.0.1 localhost cluster.k8sapiserver # mine\n' },
        { hosts: `${vip}\tcluster.k8sapiserver\n` },
      ]),
      endpoint: { domain: 'cluster.k8sapiserver', addresses: [vip], port: 6443 },
      strategy: { hosts: { to: 'loopback' } },
      remarks: [
        'Found: /etc/hosts sends cluster.k8sapiserver to the master itself on m1 and m2.',
        `m3 sends it to ${vip}: it still loses what the balancer sends back to it.`,
      ],
    },
    {
      name: 'hosts files with own addresses, and a master without an entry',
      evidence: evidenceOf('api.prod.example:6443', [
        { hosts: '172.16.104.54 api.prod.example\n' },
        { hosts: '# 172.16.104.55 api.prod.example\n' },
        { hosts: '172.16.104.56 api.prod.example\n' },
      ]),
      endpoint: { domain: 'api.prod.example', port: 6443 },
      strategy: { hosts: { to: 'own-address' } },
      remarks: ['Found: /etc/hosts sends api.prod.example to the master itself on m1 and m3.', 'm2 without an entry.'],
    },
    {
      name: "keepalived on all masters by unicast with haproxy: the article's first way",
      evidence: evidenceOf(
        `${vip}:9443`,
        [54, 55, 56].map((n) => ({
          keepalived: keepalived('unicast_peer { 10.0.0.1\n }'),
          haproxy,
          addresses: ipAddr(`172.16.104.${n}`, vip),
        })),
      ),
      endpoint: { address: vip, port: 9443 },
      strategy: { 'keepalived-haproxy': { vrrp: 'unicast', port: 9443 } },
      remarks: [`Found: keepalived on m1, m2 and m3 claims ${vip}; held by m1, m2 and m3.`],
    },
    {
      name: 'the same without haproxy on one, and without unicast',
      evidence: evidenceOf(
        `${vip}:9443`,
        [54, 55, 56].map((n) => ({
          keepalived: keepalived(''),
          ...(n === 55 ? {} : { haproxy }),
          addresses: ipAddr(`172.16.104.${n}`, vip),
        })),
      ),
      endpoint: { address: vip, port: 9443 },
      strategy: { 'keepalived-haproxy': { vrrp: 'silent', port: 9443 } },
      remarks: [
        `Found: keepalived on m1, m2 and m3 claims ${vip}; held by m1, m2 and m3.\nhaproxy does not listen on 9443 on m2.`,
      ],
    },
    {
      name: 'keepalived on all masters and nothing behind it',
      evidence: evidenceOf(
        `${vip}:6443`,
        [54, 55, 56].map((n) => ({ keepalived: keepalived(''), addresses: ipAddr(`172.16.104.${n}`, vip) })),
      ),
      endpoint: { address: vip, port: 6443 },
      strategy: 'bind-vip',
      remarks: [
        `Found: keepalived on m1, m2 and m3 claims ${vip}; held by m1, m2 and m3.\nNo haproxy stands behind it, so this is bind-vip by way of keepalived.`,
      ],
    },
    {
      name: 'a VIP that one master holds',
      evidence: evidenceOf(`${vip}:9443`, [
        { keepalived: keepalived(''), haproxy, addresses: ipAddr('172.16.104.54', vip) },
        { keepalived: keepalived(''), haproxy },
        { keepalived: keepalived(''), haproxy },
      ]),
      endpoint: { address: vip, port: 9443 },
      strategy: { 'keepalived-vip': { interface: 'eth0', routerId: 52 } },
      balancer: undefined,
      remarks: [
        `Found: keepalived on m1, m2 and m3 claims ${vip}; held by m1.\nOne holder: a VIP that VRRP moves, without a balancer. If there is a balancer behind it, take another strategy.`,
      ],
    },
    {
      name: 'a master that cannot be reached, a node that is not ready, and kubelets of another version',
      evidence: evidenceOf(
        `${vip}:6443`,
        [{}, { unreachable: 'Connection timed out' }, {}],
        [
          ...three.slice(0, 2),
          { name: 'm3', addresses: ['172.16.104.56'], kubelet: 'v1.36.3' },
          { ...worker, ready: false },
        ],
      ),
      endpoint: { address: vip, port: 6443 },
      strategy: 'auto',
      remarks: [
        'Found: kubeadm-config says v1.37.2, and the kubelets of m3 (v1.36.3) are of another version.',
        'Found: 1 node not Ready: w1.',
        'm2 could not be looked at: Connection timed out',
        'Found nothing on m1 and m3 that helps masters to reach the endpoint. `hairpin probe` shows what they lose.',
      ],
    },
    {
      name: 'a cluster without an endpoint',
      evidence: evidenceOf('', [{}]),
      endpoint: { address: '172.16.104.54', port: 6443 },
      strategy: 'auto',
      remarks: [
        "Found: the cluster was made without a controlPlaneEndpoint. This is its first master's own address.\nPut the balancer's here; existing kubeconfigs and certificates still name the master.",
        'Found nothing on m1 that helps masters to reach the endpoint. `hairpin probe` shows what they lose.',
      ],
    },
  ])('$name', (story) => {
    const { evidence, endpoint, strategy, remarks } = story;
    expect(adopted(evidence)).toEqual({
      endpoint,
      strategy,
      balancer: 'balancer' in story ? undefined : hairpin,
      remarks,
    });
  });

  test('a cluster of the lab, as it was captured', () => {
    const captured = readFileSync(join(repoRoot, 'test/fixtures/adopt/plain-v1.37.2.json'), 'utf8');
    const { file, remarks } = adopt(JSON.parse(captured) as ClusterEvidence);
    expect({ spec: file.spec, remarks: remarks.map((r) => r.text) }).toEqual({
      spec: {
        kubernetes: { version: 'v1.37.2', podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/12' },
        endpoint: { address: vip, port: 6443 },
        balancer: hairpin,
        strategy: 'auto',
        nodes: [54, 55, 56, 57].map((n, i) => ({
          name: i < 3 ? `m${i + 1}` : 'w1',
          role: i < 3 ? 'control-plane' : 'worker',
          address: `172.16.104.${n}`,
        })),
        prepare: 'preinstalled',
      },
      remarks: [
        'Found nothing on m1, m2 and m3 that helps masters to reach the endpoint. `hairpin probe` shows what they lose.',
      ],
    });
  });

  test('IPv6: the endpoint in brackets, addresses in the order of the kubelet', () => {
    const nodes = [{ name: 'm1', addresses: ['fd00:104::54', '172.16.104.54', 'fd00:104::99'] }];
    const evidence = { ...evidenceOf('"[fd00:105::26]:6443"', [{ addresses: ipAddr('172.16.104.54') }], nodes) };
    const { file } = adopt(evidence);
    expect([file.spec.endpoint, file.spec.nodes]).toEqual([
      { address: 'fd00:105::26', port: 6443 },
      [{ name: 'm1', role: 'control-plane', address: ['fd00:104::54', '172.16.104.54'] }],
    ]);
  });
});

describe('what is read on masters', () => {
  test('readKeepalivedConf() finds instances among everything else', () => {
    expect(readKeepalivedConf(keepalived('unicast_peer {\n 172.16.104.55\n }'))).toEqual([
      {
        name: 'VI_1',
        interface: 'eth0',
        routerId: 52,
        state: 'MASTER',
        unicast: true,
        addresses: [{ family: 4, text: vip }],
      },
    ]);
    expect(readKeepalivedConf('vrrp_instance A { virtual_ipaddress { fd00::1/128 } }\nvrrp_instance B {')).toEqual([
      {
        name: 'A',
        interface: undefined,
        routerId: undefined,
        state: undefined,
        unicast: false,
        addresses: [{ family: 6, text: 'fd00::1' }],
      },
    ]);
  });

  test('readIpAddr() reads all three formats alike', () => {
    const wanted = [
      { interface: 'lo', address: { family: 4, text: '127.0.0.1' }, prefix: 8 },
      { interface: 'eth0', address: { family: 4, text: vip }, prefix: 32 },
      { interface: 'eth0', address: { family: 6, text: 'fd00::4' }, prefix: 64 },
    ];
    const one = `1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet ${vip}/32 scope global eth0\n2: eth0    inet6 fd00::4/64 scope global\n`;
    const long = `1: lo: <UP>\n    inet 127.0.0.1/8 scope host lo\n2: eth0@if7: <UP>\n    inet ${vip}/32 scope global eth0\n    inet6 fd00::4/64 scope global\n`;
    const json = JSON.stringify([
      { ifname: 'lo', addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8 }] },
      {
        ifname: 'eth0',
        addr_info: [
          { local: vip, prefixlen: 32 },
          { local: 'fd00::4', prefixlen: 64 },
        ],
      },
    ]);
    expect([one, long, json].map(readIpAddr)).toEqual([wanted, wanted, wanted]);
  });

  test('hostsEntries() and haproxyPorts() pass over comments', () => {
    expect(
      hostsEntries('10.0.0.1 a API.x b\n#10.0.0.2 api.x\n::1 api.x # c\n10.0.0.3 # api.x\n', 'api.x').map(
        (a) => a.text,
      ),
    ).toEqual(['10.0.0.1', '::1']);
    expect(
      haproxyPorts('  bind *:9443\n bind 10.0.0.1:80 ssl\n# bind *:1\nbind [::]:443 v6only\nbind /run/x.sock\n'),
    ).toEqual([9443, 80, 443]);
  });

  test('adoptedNodes() puts masters first, by age, whichever label they have', () => {
    const json = JSON.stringify({
      items: [
        { metadata: { name: 'w1', creationTimestamp: '2020-01-01' } },
        { metadata: { name: 'm2', creationTimestamp: '2020-01-03', labels: { 'node-role.kubernetes.io/master': '' } } },
        {
          metadata: {
            name: 'm1',
            creationTimestamp: '2020-01-02',
            labels: { 'node-role.kubernetes.io/control-plane': '' },
          },
        },
      ],
    });
    expect(adoptedNodes(json).map((n) => `${n.role} ${n.name} ${n.ready}`)).toEqual([
      'control-plane m1 false',
      'control-plane m2 false',
      'worker w1 false',
    ]);
  });
});

describe('collectEvidence()', () => {
  const manifest =
    'spec:\n  containers:\n  - command:\n    - kube-apiserver\n    - --advertise-address=172.16.104.54\n    - --secure-port=7443\n';
  const answers =
    (files: Readonly<Record<string, string>>, asked: string[] = []): MasterProbe =>
    async (argv) => {
      asked.push(argv.join(' '));
      const key =
        argv[0] === 'cat'
          ? (argv[1] ?? '')
          : argv.includes('configmap')
            ? 'config'
            : argv.includes('nodes')
              ? 'nodes'
              : 'ip';
      const stdout = files[key];
      return stdout === undefined
        ? { exitCode: 1, stdout: '', stderr: 'No such file' }
        : { exitCode: 0, stdout, stderr: '' };
    };
  const entry = {
    '/etc/kubernetes/manifests/kube-apiserver.yaml': manifest,
    config: configuration(`${vip}:6443`),
    nodes: nodesJson([...three, worker]),
  };

  test('asks the apiserver at its own address, then looks at every master; one that is down is part of the picture', async () => {
    const asked: string[] = [];
    const evidence = await collectEvidence(answers(entry, asked), ({ name, address }) => {
      if (name === 'm2') return () => Promise.reject(new Error('Connection refused'));
      return answers({ '/etc/hosts': `${address} ${name}\n`, ip: ipAddr(address) });
    });
    expect(asked).toEqual([
      'cat /etc/kubernetes/manifests/kube-apiserver.yaml',
      'kubectl --kubeconfig=/etc/kubernetes/admin.conf --server=https://172.16.104.54:7443 --request-timeout=10s --namespace=kube-system get configmap kubeadm-config --output=jsonpath={.data.ClusterConfiguration}',
      'kubectl --kubeconfig=/etc/kubernetes/admin.conf --server=https://172.16.104.54:7443 --request-timeout=10s get nodes --output=json',
    ]);
    expect(evidence).toEqual({
      clusterConfiguration: entry.config,
      nodes: entry.nodes,
      apiServerPort: 7443,
      masters: [
        {
          node: 'm1',
          hosts: '172.16.104.54 m1\n',
          keepalived: undefined,
          haproxy: undefined,
          addresses: ipAddr('172.16.104.54'),
        },
        { node: 'm2', unreachable: 'Connection refused' },
        {
          node: 'm3',
          hosts: '172.16.104.56 m3\n',
          keepalived: undefined,
          haproxy: undefined,
          addresses: ipAddr('172.16.104.56'),
        },
      ],
    });
  });

  test.each([
    { name: 'no master', files: {}, code: 'ADOPT_NO_MASTER' },
    { name: 'an apiserver that does not answer', files: { ...entry, config: undefined }, code: 'ADOPT_NO_ANSWER' },
  ])('$name is an error of its own', async ({ files, code }) => {
    const error: unknown = await collectEvidence(answers(files as Record<string, string>), () => answers({})).catch(
      (e: unknown) => e,
    );
    expect(error instanceof OperatorError && error.code).toBe(code);
  });

  test("an error repeats kubectl's answer and not what client-go logged on the way to it", async () => {
    const log = 'E1123 22:21:05.497861    2557 memcache.go:381] "Couldn\'t get current server API group list"';
    const refused = 'The connection to the server 172.16.104.54:6443 was refused';
    const probe: MasterProbe = async (argv) =>
      argv[0] === 'cat'
        ? { exitCode: 0, stdout: manifest, stderr: '' }
        : { exitCode: 1, stdout: '', stderr: `${log}\n${log}\n${refused}\n` };
    const error: unknown = await collectEvidence(probe, () => probe).catch((e: unknown) => e);
    expect(error instanceof OperatorError && error.cause).toBe(refused);
  });

  test('an abort ends it', async () => {
    const stop = new AbortController();
    const work = collectEvidence(
      answers(entry),
      () => () => {
        stop.abort(new Error('stopped'));
        return Promise.reject(new Error('killed'));
      },
      { signal: stop.signal },
    );
    await expect(work).rejects.toThrow('stopped');
  });
});
