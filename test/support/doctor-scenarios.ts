import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import { breakLab, healFaults, parseAddress, setDns } from '../../src/index.ts';
import { inNetns } from '../../src/lab/commands/command.ts';
import type { UpLab } from './up-lab.ts';

/** One cause, made to happen on a cluster that is well, and healed again. */
export interface Scenario {
  readonly cause: string;
  readonly what: string;
  readonly break: (lab: UpLab) => Promise<unknown>;
  readonly heal: (lab: UpLab) => Promise<unknown>;
  /** The doctor is given this instead of the lab's own cluster.yaml. */
  readonly cluster?: (yaml: string) => string;
  /** What a person would have on the screen; judged by `doctor --log` alone. */
  readonly printed?: (lab: UpLab) => Promise<string>;
}

const domain = (lab: UpLab) => lab.lab.spec.endpoint.domain ?? '';
const vip = (lab: UpLab) => lab.lab.spec.endpoint.addresses[0]?.text ?? '';
const addressOf = (lab: UpLab, name: string) =>
  lab.lab.spec.machines.find((machine) => machine.name === name)?.addresses[0]?.text ?? '';
const masters = ['m1', 'm2', 'm3'] as const;

/** Fails with what the command said. */
async function must(lab: UpLab, machine: string, script: string, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.trySh(machine, script, ...args);
  if (exitCode !== 0) throw new Error(`${machine}: ${script}\n${stdout}\n${stderr}`);
  return stdout;
}

const fault = (name: string, target: string, process?: string) => ({
  break: (lab: UpLab) => breakLab(lab.lab, { fault: name, target, ...(process === undefined ? {} : { process }) }),
  heal: (lab: UpLab) => healFaults(lab.lab, { fault: name, target }),
});

/** Stops what steers on a node and takes its table away, as somebody does who flushes the rules. */
const steeringOff = `systemctl stop 'hairpin-*.service'; for t in $(nft list tables | sed -n 's/^table \\(.*\\) hairpin.*/\\1/p'); do nft delete table $t hairpin; done`;
const steeringOn = `systemctl start hairpin-agent.service 2>/dev/null || systemctl start hairpin-steer.service`;

const keepPki = 'mkdir -p /root/pki && cp -p /etc/kubernetes/pki/apiserver.* /root/pki/';
const restorePki = 'cp -p /root/pki/* /etc/kubernetes/pki/';

function keepalived(lab: UpLab, name: string, opts: { id: number; priority: number; peer: string; address: string }) {
  return `vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id ${opts.id}
  priority ${opts.priority}
  advert_int 1
  unicast_src_ip ${addressOf(lab, name)}
  unicast_peer {
    ${opts.peer}
  }
  virtual_ipaddress {
    ${opts.address}/32
  }
}
`;
}

const shared = '172.16.104.200';

async function startKeepalived(
  lab: UpLab,
  of: (name: 'm1' | 'm2', other: string) => { id: number; priority: number; peer: string; address: string },
) {
  for (const [name, other] of [
    ['m1', 'm2'],
    ['m2', 'm1'],
  ] as const) {
    const config = keepalived(lab, name, of(name, addressOf(lab, other)));
    await must(
      lab,
      name,
      'mkdir -p /etc/keepalived; printf %s "$1" >/etc/keepalived/keepalived.conf; systemctl reset-failed keepalived 2>/dev/null; systemctl restart keepalived.service',
      config,
    );
  }
}

const stopKeepalived = (lab: UpLab) =>
  Promise.all(
    ['m1', 'm2'].map((name) =>
      lab.sh(
        name,
        `systemctl stop keepalived.service; rm -f /etc/keepalived/keepalived.conf; ip addr del ${shared}/32 dev eth0 2>/dev/null; nft delete table inet t_doctor 2>/dev/null`,
      ),
    ),
  );

/** The same nodes, as a cluster without a balancer whose masters share an address. */
function withoutBalancer(yaml: string): string {
  const document = parse(yaml) as { spec: Record<string, unknown> };
  const { balancer: _balancer, ...rest } = document.spec;
  return stringify({
    ...document,
    spec: { ...rest, endpoint: { address: shared, port: 9443 }, strategy: 'keepalived-vip' },
  });
}

/** The same nodes behind a balancer whose address is in their own subnet. */
function nearBalancer(yaml: string): string {
  const document = parse(yaml) as { spec: Record<string, unknown> };
  return stringify({
    ...document,
    spec: {
      ...document.spec,
      endpoint: { address: shared, port: 6443 },
      balancer: { backendPort: 6443, hairpin: 'local' },
    },
  });
}

const inFabric = (lab: UpLab, argv: readonly string[], input = '') => {
  const [file = '', ...args] = inNetns(lab.lab.cx.topology.balancer.netns, argv);
  return execa(file, args, { input });
};

const gateway = (verb: string, data: string) =>
  `cd /etc/kubernetes/pki/etcd && curl --silent --show-error --fail-with-body --cacert ca.crt --cert server.crt --key server.key --data '${data}' https://127.0.0.1:2379/v3/cluster/member/${verb}`;

export const scenarios: readonly Scenario[] = [
  {
    cause: 'endpoint-hairpins',
    what: 'steering is stopped and its table flushed on m2',
    break: (lab) => must(lab, 'm2', steeringOff),
    heal: (lab) => must(lab, 'm2', steeringOn),
  },
  { cause: 'hung-apiserver', what: 'the apiserver of m2 is frozen', ...fault('freeze', 'm2', 'kube-apiserver') },
  {
    cause: 'balancer-tcp-check',
    what: 'm2 has lost its etcd, and the balancer checks by TCP',
    ...fault('stop', 'm2', 'etcd'),
  },
  {
    cause: 'etcd-quorum-lost',
    what: 'two of three etcd members are gone',
    break: async (lab) => {
      await breakLab(lab.lab, { fault: 'stop', target: 'm2', process: 'etcd' });
      await breakLab(lab.lab, { fault: 'stop', target: 'm3', process: 'etcd' });
    },
    heal: (lab) => healFaults(lab.lab),
  },
  { cause: 'apiserver-down', what: 'the apiserver of m2 is gone', ...fault('stop', 'm2', 'kube-apiserver') },
  {
    cause: 'balancer-wrong-port',
    what: "the balancer's checks go to a port where nothing listens",
    break: (lab) =>
      inFabric(
        lab,
        ['nft', '-f', '-'],
        'table ip t_doctor { chain out { type nat hook output priority -100; ip saddr 100.64.0.0/10 tcp dport 6443 dnat to :6444; } }\n',
      ),
    heal: (lab) => inFabric(lab, ['nft', 'delete', 'table', 'ip', 't_doctor']),
  },
  {
    cause: 'checks-blocked',
    what: "every master's firewall drops the balancer's checks",
    break: (lab) =>
      Promise.all(
        masters.map((name) =>
          must(
            lab,
            name,
            "nft 'add table inet t_doctor'; nft 'add chain inet t_doctor in { type filter hook input priority 0; }'; nft 'add rule inet t_doctor in ip saddr 100.64.0.0/10 tcp dport 6443 drop'",
          ),
        ),
      ),
    heal: (lab) => Promise.all(masters.map((name) => must(lab, name, 'nft delete table inet t_doctor'))),
  },
  {
    cause: 'certificate-expired',
    what: "the certificate of m2's apiserver has expired",
    break: (lab) =>
      must(
        lab,
        'm2',
        `${keepPki}; cd /etc/kubernetes/pki && printf 'subjectAltName=DNS:kubernetes,DNS:%s,IP:%s,IP:10.96.0.1\\n' "$1" "$2" >/root/ext && openssl req -new -key apiserver.key -subj /CN=kube-apiserver -out /root/csr && openssl x509 -req -in /root/csr -CA ca.crt -CAkey ca.key -CAcreateserial -days -1 -extfile /root/ext -out apiserver.crt`,
        domain(lab),
        addressOf(lab, 'm2'),
      ),
    heal: (lab) => must(lab, 'm2', restorePki),
  },
  {
    cause: 'endpoint-not-in-certificate',
    what: "the certificate of m2's apiserver was made without the endpoint",
    break: (lab) =>
      must(
        lab,
        'm2',
        `${keepPki}; rm /etc/kubernetes/pki/apiserver.*; kubeadm init phase certs apiserver --kubernetes-version v1.37.2 --apiserver-advertise-address $1`,
        addressOf(lab, 'm2'),
      ),
    heal: (lab) => must(lab, 'm2', restorePki),
  },
  {
    cause: 'wrong-advertise-address',
    what: 'the apiserver of m3 advertises the endpoint',
    break: (lab) =>
      must(
        lab,
        'm3',
        'sed -i "s/--advertise-address=$1/--advertise-address=$2/" /etc/kubernetes/manifests/kube-apiserver.yaml',
        addressOf(lab, 'm3'),
        vip(lab),
      ),
    heal: (lab) =>
      must(
        lab,
        'm3',
        'sed -i "s/--advertise-address=$2/--advertise-address=$1/" /etc/kubernetes/manifests/kube-apiserver.yaml',
        addressOf(lab, 'm3'),
        vip(lab),
      ),
  },
  {
    cause: 'haproxy-port-clash',
    what: 'after a restart haproxy was first on 6443 of m3',
    break: (lab) =>
      must(
        lab,
        'm3',
        `mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/; i=0; while [ -n "$(ss -Hlnt 'sport = :6443')" ] && [ $i -lt 80 ]; do sleep 0.5; i=$((i + 1)); done
printf 'defaults\\n  mode tcp\\n  timeout connect 1s\\n  timeout client 60s\\n  timeout server 60s\\nfrontend f\\n  bind *:6443\\n  default_backend b\\nbackend b\\n  server m1 %s:6443\\n' "$1" >/root/haproxy.cfg
systemd-run --quiet --unit t-haproxy haproxy -db -f /root/haproxy.cfg; mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/`,
        addressOf(lab, 'm1'),
      ),
    heal: (lab) => must(lab, 'm3', 'systemctl stop t-haproxy.service'),
  },
  {
    cause: 'pinned-kubeconfig',
    what: 'admin.conf of m1 names m3, which has no apiserver',
    break: async (lab) => {
      await must(
        lab,
        'm1',
        'cp -p /etc/kubernetes/admin.conf /root/admin.keep; sed -i "s,server: .*,server: https://$1:6443," /etc/kubernetes/admin.conf',
        addressOf(lab, 'm3'),
      );
      await breakLab(lab.lab, { fault: 'stop', target: 'm3', process: 'kube-apiserver' });
    },
    heal: async (lab) => {
      await must(lab, 'm1', 'mv /root/admin.keep /etc/kubernetes/admin.conf');
      await healFaults(lab.lab);
    },
  },
  {
    cause: 'half-joined-etcd',
    what: 'etcd has a learner that never came',
    break: (lab) => must(lab, 'm1', gateway('add', '{"peerURLs":["https://172.16.104.99:2380"],"isLearner":true}')),
    heal: (lab) =>
      must(
        lab,
        'm1',
        `id=$(${gateway('list', '{}')} | sed 's/},{/}\\n{/g' | grep 172.16.104.99 | sed -E 's/.*"ID":"([0-9]+)".*/\\1/'); ${gateway('remove', `{"ID":"'$id'"}`)}`,
      ),
  },
  {
    cause: 'kubelet-down',
    what: 'the kubelet of w1 is stopped',
    break: (lab) => must(lab, 'w1', 'systemctl stop kubelet'),
    heal: (lab) => must(lab, 'w1', 'systemctl start kubelet'),
  },
  {
    cause: 'runtime-down',
    what: 'containerd of w1 is stopped',
    break: (lab) => must(lab, 'w1', 'systemctl stop containerd'),
    heal: (lab) => must(lab, 'w1', 'systemctl start containerd'),
  },
  {
    cause: 'cni-missing',
    what: 'w1 has no CNI configuration',
    break: (lab) => must(lab, 'w1', 'mv /etc/cni/net.d /etc/cni/away; mkdir /etc/cni/net.d'),
    heal: (lab) => must(lab, 'w1', 'rmdir /etc/cni/net.d; mv /etc/cni/away /etc/cni/net.d'),
  },
  {
    cause: 'image-pull',
    what: 'kube-proxy is to have an image that is nowhere',
    break: (lab) =>
      lab.kubectl('-n kube-system set image daemonset/kube-proxy kube-proxy=registry.k8s.io/kube-proxy:v9.9.9'),
    heal: (lab) => lab.kubectl('-n kube-system rollout undo daemonset/kube-proxy'),
  },
  {
    cause: 'swap-on',
    what: 'w1 has swap, and its kubelet minds',
    // The machine's own swap is not a node's to switch on: what the kubelet reads is.
    break: (lab) =>
      must(
        lab,
        'w1',
        `printf 'Filename\\t\\t\\t\\tType\\t\\tSize\\t\\tUsed\\t\\tPriority\\n/swapfile                               file\\t\\t2097148\\t\\t0\\t\\t-2\\n' >/run/swaps && mount --bind /run/swaps /proc/swaps && cp -p /var/lib/kubelet/config.yaml /root/kubelet.keep && sed -i '/^failSwapOn:/d' /var/lib/kubelet/config.yaml && systemctl restart kubelet`,
      ),
    heal: (lab) =>
      must(
        lab,
        'w1',
        'umount /proc/swaps; mv /root/kubelet.keep /var/lib/kubelet/config.yaml; systemctl restart kubelet',
      ),
  },
  {
    cause: 'cgroup-driver-mismatch',
    what: "containerd of w1 was given systemd's cgroups under a kubelet with cgroupfs",
    break: async (lab) => {
      await must(
        lab,
        'w1',
        `mkdir -p /etc/containerd/conf.d; cp -p /etc/containerd/config.toml /root/containerd.keep
printf '\\n[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]\\n  SystemdCgroup = true\\n' >>/etc/containerd/config.toml
systemctl restart containerd`,
      );
      await lab.kubectl(
        '-n kube-system delete pod -l k8s-app=kube-proxy --field-selector spec.nodeName=w1 --wait=false',
      );
    },
    heal: (lab) =>
      must(lab, 'w1', 'mv /root/containerd.keep /etc/containerd/config.toml; systemctl restart containerd kubelet'),
  },
  {
    cause: 'stale-pod-hosts',
    what: '/etc/hosts of w1 got the endpoint while kube-proxy ran',
    break: (lab) => must(lab, 'w1', 'echo "$1 $2" >>/etc/hosts', vip(lab), domain(lab)),
    heal: (lab) => must(lab, 'w1', 'sed -i "/ $1$/d" /etc/hosts', domain(lab)),
  },
  {
    cause: 'name-does-not-resolve',
    what: "the endpoint's name is gone from DNS",
    break: (lab) => setDns(lab.lab.cx.paths, domain(lab), []),
    heal: (lab) =>
      setDns(
        lab.lab.cx.paths,
        domain(lab),
        [parseAddress(vip(lab))].flatMap((a) => a ?? []),
      ),
  },
  {
    cause: 'node-unreachable',
    what: 'w1 is silent',
    ...fault('silent', 'w1'),
  },
  {
    cause: 'split-brain',
    what: 'two keepalived name peers that are not there',
    cluster: withoutBalancer,
    break: (lab) =>
      startKeepalived(lab, (name) => ({
        id: 51,
        priority: name === 'm1' ? 101 : 100,
        peer: '172.16.104.250',
        address: shared,
      })),
    heal: stopKeepalived,
  },
  {
    cause: 'vrrp-blocked',
    what: 'a firewall drops VRRP between two keepalived',
    cluster: withoutBalancer,
    break: async (lab) => {
      for (const name of ['m1', 'm2']) {
        await must(
          lab,
          name,
          "nft 'add table inet t_doctor'; nft 'add chain inet t_doctor in { type filter hook input priority 0; }'; nft 'add rule inet t_doctor in ip protocol vrrp drop'",
        );
      }
      await startKeepalived(lab, (name, peer) => ({
        id: 51,
        priority: name === 'm1' ? 101 : 100,
        peer,
        address: shared,
      }));
    },
    heal: stopKeepalived,
  },
  {
    cause: 'vrrp-router-id',
    what: 'two groups with one router id',
    cluster: withoutBalancer,
    break: (lab) =>
      startKeepalived(lab, (name, peer) => ({
        id: 51,
        priority: name === 'm1' ? 101 : 100,
        peer,
        address: name === 'm1' ? shared : '172.16.104.201',
      })),
    heal: stopKeepalived,
  },
  {
    cause: 'all-master-no-balancer',
    what: 'two keepalived that cannot hear each other by design',
    cluster: withoutBalancer,
    break: (lab) =>
      startKeepalived(lab, (name, peer) => ({ id: name === 'm1' ? 51 : 52, priority: 255, peer, address: shared })),
    heal: stopKeepalived,
  },
  {
    cause: 'vip-answers-arp',
    what: 'm1 has the address of a balancer on its own segment',
    cluster: nearBalancer,
    break: (lab) => must(lab, 'm1', `ip addr add ${shared}/32 dev eth0`),
    heal: (lab) => must(lab, 'm1', `ip addr del ${shared}/32 dev eth0`),
  },
];

const joinFile = (lab: UpLab, token: string, key: string) => `
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken: { apiServerEndpoint: "${domain(lab)}:6443", token: ${token}, unsafeSkipCAVerification: true }
controlPlane:
  localAPIEndpoint: { advertiseAddress: ${addressOf(lab, 'm3')}, bindPort: 6443 }
  certificateKey: ${key}
timeouts: { discovery: 10s }
`;

const anyKey = 'ab'.repeat(32);

/** `kubeadm join` on m3 as a person does it, its output kept. Gives what it printed. */
async function join(lab: UpLab, token: string, key = anyKey): Promise<string> {
  return await lab.sh(
    'm3',
    'umask 077; printf %s "$1" >/root/join.yaml; timeout 120 kubeadm join --config /root/join.yaml --ignore-preflight-errors=all 2>&1 | tee /var/log/kubeadm-join.log',
    joinFile(lab, token, key),
  );
}

const newToken = async (lab: UpLab) => (await lab.sh('m1', 'kubeadm token create')).trim().split('\n').at(-1) ?? '';
const forget = (lab: UpLab) =>
  lab.sh('m3', 'rm -f /var/log/kubeadm-join.log /root/join.yaml; kubeadm reset --force >/dev/null 2>&1');

/** m3 leaves the cluster in order; what follows are joins that go wrong. */
export async function leave(lab: UpLab): Promise<void> {
  await must(lab, 'm3', 'kubeadm reset --force');
  await must(lab, 'm3', steeringOff);
  await lab.kubectl('delete node m3');
}

/** On a cluster of which m3 has left. */
export const joinScenarios: readonly Scenario[] = [
  {
    cause: 'token-expired',
    what: 'a join with a token that was deleted',
    break: (lab) => join(lab, 'abcdef.0123456789abcdef'),
    printed: (lab) => lab.sh('m3', 'cat /var/log/kubeadm-join.log'),
    heal: forget,
  },
  {
    cause: 'certificate-key-expired',
    what: 'a join after kubeadm-certs has gone',
    break: async (lab) => {
      await lab.kubectl('-n kube-system delete secret kubeadm-certs --ignore-not-found');
      await join(lab, await newToken(lab));
    },
    printed: (lab) => lab.sh('m3', 'cat /var/log/kubeadm-join.log'),
    heal: forget,
  },
  {
    cause: 'vip-before-join',
    what: 'the address is bound on m3 before it joins',
    break: async (lab) => {
      await must(lab, 'm3', `ip addr add $1/32 dev eth0`, vip(lab));
      await join(lab, await newToken(lab));
    },
    printed: (lab) => lab.sh('m3', `sed "s/${domain(lab)}/${vip(lab)}/" /var/log/kubeadm-join.log`),
    heal: async (lab) => {
      await must(lab, 'm3', `ip addr del $1/32 dev eth0`, vip(lab));
      await forget(lab);
    },
  },
  {
    cause: 'name-self-before-join',
    what: 'the name means m3 itself before it joins',
    break: async (lab) => {
      await must(lab, 'm3', 'echo "127.0.0.1 $1" >>/etc/hosts', domain(lab));
      await join(lab, await newToken(lab));
    },
    printed: (lab) => lab.sh('m3', 'cat /var/log/kubeadm-join.log'),
    heal: async (lab) => {
      await must(lab, 'm3', 'sed -i "/ $1$/d" /etc/hosts', domain(lab));
      await forget(lab);
    },
  },
];
