import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silent } from '../../src/index.ts';
import { installCni, type JoinSecrets, kubeadmInit, ofRole } from '../../src/lab/rehearsal/by-hand.ts';
import { UpLab } from '../support/up-lab.ts';

// The article: "follower join 时需要访问 k8s-apiserver 获取证书等信息, 绑定 vip 直接走本地, 获取失败". A master that means itself by
// the endpoint before it has joined finds nobody there. `hairpin up` puts both on a follower after its join only:
// test/unit/plan/order.test.ts ("the trap of the article") over random specs, test/node/up-strategies.test.ts for real.

const opts = { emit: silent, signal: new AbortController().signal };
const vip = '172.16.105.26';

let lab: UpLab;
let secrets: JoinSecrets;

beforeAll(async () => {
  lab = await UpLab.start({
    name: 't-join-traps',
    masters: 2,
    workers: 0,
    clients: 0,
    endpoint: { domain: 'cluster.k8sapiserver', addresses: [vip] },
  });
  await installCni(lab.lab, opts);
  // The leader itself has to mean itself: behind `drop` nothing else works while it is the only one.
  await lab.sh('m1', `ip address add ${vip}/32 dev eth0`);
  const [leader] = ofRole(lab.lab, 'control-plane');
  const { join, result } = await kubeadmInit(lab.lab, leader as NonNullable<typeof leader>, opts);
  if (join === undefined) throw new Error(result.stderr);
  secrets = join;
});
afterAll(async () => lab?.[Symbol.asyncDispose]());

/** `kubeadm join` of m2 as a second master, which gives up its discovery after a few seconds and not after 5 minutes. */
async function join() {
  const { token, caHash, certificateKey, endpoint } = secrets;
  const config = `
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken: { apiServerEndpoint: '${endpoint}', token: ${token}, caCertHashes: ['${caHash}'] }
controlPlane: { certificateKey: ${certificateKey} }
nodeRegistration: { ignorePreflightErrors: [SystemVerification, Swap] }
timeouts: { discovery: 10s }
`;
  return lab.trySh(
    'm2',
    `umask 077; printf '%s' "$1" >/root/join.yaml; kubeadm join --config /root/join.yaml --v=1 2>&1`,
    config,
  );
}

describe('a follower that means itself by the endpoint before it has joined cannot join', () => {
  test.each([
    {
      way: 'bind-vip: the address is on its own interface',
      set: `ip address add ${vip}/32 dev eth0`,
      unset: `ip address del ${vip}/32 dev eth0`,
      dials: vip,
    },
    {
      way: 'hosts: the name means 127.0.0.1',
      set: 'echo 127.0.0.1 cluster.k8sapiserver >>/etc/hosts',
      unset: `sed '/k8sapiserver/d' /etc/hosts >/root/hosts && cat /root/hosts >/etc/hosts`,
      dials: '127.0.0.1',
    },
  ])('$way', async ({ set, unset, dials }) => {
    // The balancer has found the leader by now, so nothing but the follower's own doing is in the way.
    await lab.sh(
      'm2',
      `for i in $(seq 30); do curl -sk -m 2 https://cluster.k8sapiserver:6443/readyz && break; sleep 1; done`,
    );
    await lab.sh('m2', set);
    const { exitCode, stdout } = await join();
    await lab.sh('m2', unset);
    expect(exitCode, stdout).toBe(1);
    expect(stdout).toMatch(new RegExp(`dial tcp ${dials.replaceAll('.', '\\.')}:6443: connect: connection refused`));
    expect(stdout).toMatch(/couldn't validate the identity of the API Server/);
    // It ended in its discovery: nothing was made, so that the same join may be tried again.
    expect(await lab.sh('m2', 'ls /etc/kubernetes/pki /etc/kubernetes/kubelet.conf 2>/dev/null')).toBe('');
  });

  test('through the balancer the same join succeeds, and then the address may be bound', async () => {
    const { exitCode, stdout } = await join();
    expect(exitCode, stdout).toBe(0);
    await lab.sh('m2', `ip address add ${vip}/32 dev eth0`);
    expect(await lab.sh('m2', 'curl -sk https://cluster.k8sapiserver:6443/readyz')).toBe('ok');
    const nodes = await lab.kubectl('get nodes -o name');
    expect(nodes.split('\n').toSorted()).toEqual(['node/m1', 'node/m2']);
  });
});
