import 'reflect-metadata';
import { createHash, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diagnoseLogs } from '../../src/cluster-doctor.ts';
import { repoRoot } from '../support/imports.ts';
import { kubeadmOf } from '../support/kubeadm-validate.ts';

// The real kubeadm in a network of its own, joining what goes wrong in one way each: its own words, judged by the doctor.

const { signal } = new AbortController();
const vip = '172.16.105.26';
const name = 'api.prod.example';
const token = 'abcdef.0123456789abcdef';
const day = 86_400_000;

let kubeadm: string;
let dir: string;
beforeAll(async () => {
  kubeadm = await kubeadmOf('v1.37.2', signal);
  dir = await mkdtemp(join(tmpdir(), 'hairpin-join-'));
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

interface Join {
  readonly cause: string;
  readonly what: string;
  readonly endpoint: string;
  /** Absent: nothing is served. */
  readonly server?: { readonly signed: boolean; readonly address: string; readonly from: number; readonly to: number };
  readonly hosts?: string;
}

const well = { signed: true, address: vip, from: -day, to: 365 * day };
const joins: readonly Join[] = [
  {
    cause: 'token-expired',
    what: 'the token signs nothing any more',
    endpoint: vip,
    server: { ...well, signed: false },
  },
  { cause: 'vip-before-join', what: 'the address is its own, and nothing serves there', endpoint: vip },
  {
    cause: 'name-self-before-join',
    what: 'the name is itself, and nothing serves there',
    endpoint: name,
    hosts: `127.0.0.1 ${name}\n`,
  },
  { cause: 'name-does-not-resolve', what: 'the name is nowhere', endpoint: name },
  {
    cause: 'endpoint-not-in-certificate',
    what: 'the certificate is for another address',
    endpoint: vip,
    server: { ...well, address: '172.16.104.54' },
  },
  {
    cause: 'certificate-expired',
    what: 'the certificate has expired',
    endpoint: vip,
    server: { ...well, from: -2 * day, to: -day },
  },
  {
    cause: 'clock-wrong',
    what: 'the certificate is of tomorrow',
    endpoint: vip,
    server: { ...well, from: day, to: 2 * day },
  },
];

test.each(joins.map((one) => [one.cause, one.what, one] as const))('%s: %s', async (cause, _what, join_) => {
  const printed = await joinPrints(join_);
  const log = join(dir, `${cause}.txt`);
  await writeFile(log, printed);
  const { findings } = await diagnoseLogs([log]);
  expect(findings[0]?.cause, printed).toBe(cause);
});

const script = `
set -eu
dir=$1 kubeadm=$2; shift 2
ip link set lo up
ip addr add ${vip}/32 dev lo
for path in /etc/kubernetes /var/lib/kubelet /var/lib/etcd; do [ ! -d $path ] || mount -t tmpfs none $path; done
mount --bind "$dir/hosts" /etc/hosts
mount --bind "$dir/resolv.conf" /etc/resolv.conf
if [ $# -gt 0 ]; then
  "$@" &
  trap "kill $!" EXIT
  i=0; while [ -z "$(ss -Hlnt 'sport = :6443')" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
fi
"$kubeadm" join --config "$dir/join.yaml" --ignore-preflight-errors=all 2>&1 || :
`;

/** What \`kubeadm join\` prints; it changes nothing outside of its own mounts and network. */
async function joinPrints({ endpoint, server, hosts = '' }: Join): Promise<string> {
  const pki = await makePki(server ?? well);
  const config = `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: ${endpoint}:6443
    token: ${token}
    caCertHashes: ["${pki.hash}"]
timeouts: { discovery: 4s }
nodeRegistration: { name: m2, criSocket: unix:///run/containerd/containerd.sock }
`;
  await writeFile(join(dir, 'join.yaml'), config);
  await writeFile(join(dir, 'hosts'), `127.0.0.1 localhost\n${hosts}`);
  await writeFile(join(dir, 'resolv.conf'), 'nameserver 127.0.0.53\noptions timeout:1 attempts:1\n');
  const serve =
    server === undefined
      ? []
      : [
          process.execPath,
          join(repoRoot, 'test/support/cluster-info.main.ts'),
          pki.cert,
          pki.key,
          pki.ca,
          server.signed ? token : 'none',
          '6443',
          `https://${endpoint}:6443`,
        ];
  const unshare = ['--net', '--mount', '--propagation', 'private', '--fork', '--kill-child', '--pid', '--mount-proc'];
  const { stdout } = await execa('unshare', [...unshare, 'sh', '-c', script, 'join', dir, kubeadm, ...serve]);
  return `${stdout}\n`;
}

/** A CA and a certificate of it: for this address, between these two moments. */
async function makePki({
  address,
  from,
  to,
}: {
  readonly address: string;
  readonly from: number;
  readonly to: number;
}) {
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as Crypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const newKeys = async () => await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const caKeys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(8).toString('hex'),
    name: 'CN=kubernetes',
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 365 * day),
    signingAlgorithm: algorithm,
    keys: caKeys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString('hex'),
    subject: 'CN=kube-apiserver',
    issuer: ca.subject,
    notBefore: new Date(Date.now() + from),
    notAfter: new Date(Date.now() + to),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: address }]),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey as webcrypto.CryptoKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`;
  const files = { ca: join(dir, 'ca.crt'), cert: join(dir, 'server.crt'), key: join(dir, 'server.key') };
  await writeFile(files.ca, `${ca.toString('pem')}\n`);
  await writeFile(files.cert, `${certificate.toString('pem')}\n`);
  await writeFile(files.key, key, { mode: 0o600 });
  const publicKey = new X509Certificate(ca.toString('pem')).publicKey.export({ type: 'spki', format: 'der' });
  return { ...files, hash: `sha256:${createHash('sha256').update(publicKey).digest('hex')}` };
}
