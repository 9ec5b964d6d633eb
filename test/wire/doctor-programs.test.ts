import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diagnoseLogs } from '../../src/cluster-doctor.ts';
import { silent } from '../../src/index.ts';
import { ensureArtefacts } from '../../src/lab/artefacts/artefacts.ts';

// Real programs in a network of their own, each failing in one way: its own words, judged by the doctor.

const { signal } = new AbortController();
let dir: string;
let bin: Readonly<Record<'apiserver' | 'kubelet', string>>;
beforeAll(async () => {
  const { binaries } = await ensureArtefacts('v1.37.2', { emit: silent, signal });
  bin = { apiserver: binaries['kube-apiserver'], kubelet: binaries.kubelet };
  dir = await mkdtemp(join(tmpdir(), 'doctor-programs-'));
  await writeFile(join(dir, 'haproxy.cfg'), haproxyConfig);
  await writeFile(join(dir, 'kubelet.yaml'), kubeletConfig);
  await writeFile(join(dir, 'one.conf'), keepalivedConfig('va', '10.0.0.1', '10.0.0.2', 101, '172.16.104.200'));
  await writeFile(join(dir, 'two.conf'), keepalivedConfig('vb', '10.0.0.2', '10.0.0.1', 100, '172.16.104.201'));
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

const haproxyConfig = `defaults
  mode tcp
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend endpoint
  bind *:6443
  default_backend apiservers
backend apiservers
  server m1 172.16.104.54:6443
`;

const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
authentication: { webhook: { enabled: false } }
authorization: { mode: AlwaysAllow }
`;

function keepalivedConfig(device: string, own: string, peer: string, priority: number, address: string): string {
  return `vrrp_instance VI_1 {
  state BACKUP
  interface ${device}
  virtual_router_id 51
  priority ${priority}
  advert_int 1
  unicast_src_ip ${own}
  unicast_peer {
    ${peer}
  }
  virtual_ipaddress {
    ${address}/32
  }
}
`;
}

interface Failing {
  readonly cause: string;
  readonly what: string;
  readonly log: string;
  /** Prints what the program says. `$1` is the directory, `$2` the apiserver, `$3` the kubelet. */
  readonly script: string;
}

const taken = `
socat TCP-LISTEN:6443,fork /dev/null &
i=0; while [ -z "$(ss -Hlnt 'sport = :6443')" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
`;

const cases: readonly Failing[] = [
  {
    cause: 'haproxy-port-clash',
    what: 'haproxy comes second',
    log: 'haproxy.txt',
    script: `${taken} timeout 5 haproxy -db -f "$1/haproxy.cfg" 2>&1 || :`,
  },
  {
    cause: 'haproxy-port-clash',
    what: 'the apiserver comes second',
    log: 'kube-apiserver.log',
    script: `${taken}
openssl genrsa -out "$1/sa.key" 2048 2>/dev/null
timeout 30 "$2" --advertise-address=127.0.0.1 --etcd-servers=http://127.0.0.1:2379 --service-account-key-file="$1/sa.key" \\
  --service-account-signing-key-file="$1/sa.key" --service-account-issuer=https://x --service-cluster-ip-range=10.96.0.0/12 \\
  --cert-dir="$1/certs" --secure-port=6443 2>&1 || :`,
  },
  {
    cause: 'runtime-down',
    what: 'the kubelet finds no runtime',
    log: 'kubelet.log',
    script:
      'mount -t tmpfs none /run && timeout 30 "$3" --config "$1/kubelet.yaml" --root-dir "$1/kubelet" --container-runtime-endpoint unix:///run/containerd/containerd.sock 2>&1 || :',
  },
  {
    cause: 'vrrp-router-id',
    what: 'two groups with one router id on one wire',
    log: 'keepalived.log',
    script: `
unshare --net sleep 60 & other=$!
sleep 0.5
ip link add va type veth peer name vb
ip link set vb netns $other
ip addr add 10.0.0.1/24 dev va; ip link set va up
nsenter --net=/proc/$other/ns/net sh -c 'ip link set lo up; ip addr add 10.0.0.2/24 dev vb; ip link set vb up'
run() { timeout 9 keepalived --dont-fork --log-console --vrrp --use-file="$1" --pid="$1.pid" --vrrp_pid="$1.vrrp"; }
timeout 9 nsenter --net=/proc/$other/ns/net keepalived --dont-fork --log-console --vrrp --use-file="$1/two.conf" \\
  --pid="$1/two.pid" --vrrp_pid="$1/two.vrrp" >/dev/null 2>&1 &
run "$1/one.conf" 2>&1 || :`,
  },
];

test.each(cases.map((one) => [one.cause, one.what, one] as const))('%s: %s', async (cause, _what, { script, log }) => {
  const unshare = ['--net', '--mount', '--propagation', 'private', '--fork', '--kill-child', '--pid', '--mount-proc'];
  const argv = [...unshare, 'sh', '-c', `ip link set lo up\n${script}`, 'program', dir, bin.apiserver, bin.kubelet];
  const { stdout } = await execa('unshare', argv, { stdin: 'ignore' });
  const path = join(dir, log);
  await writeFile(path, `${stdout}\n`);
  const { findings } = await diagnoseLogs([path]);
  expect(findings[0]?.cause, stdout).toBe(cause);
});
