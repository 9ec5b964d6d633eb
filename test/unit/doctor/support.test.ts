import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { diagnoseLogs } from '../../../src/cluster-doctor.ts';
import { evidenceText, parseEvidence } from '../../../src/doctor/support/format.ts';
import { packTexts } from '../../../src/doctor/support/pack.ts';
import { redact } from '../../../src/doctor/support/redact.ts';
import { dials, doctorNow, evidenceOf } from '../../support/doctor.ts';
import { specOf } from '../../support/spec.ts';

const spec = specOf(`apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: prod }
spec:
  kubernetes: { version: v1.37.2, cni: { kind: bridge } }
  endpoint: { address: 172.16.105.26, port: 6443 }
  balancer: { backendPort: 6443, hairpin: drop }
  ssh: { user: operator, identityFile: /home/operator/.ssh/secret-name }
  nodes:
    - { name: m1, role: control-plane, address: 172.16.104.54 }
    - { name: w1, role: worker, address: 172.16.104.57 }
`);

const key = '0123456789abcdef'.repeat(4);
const pem = `-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx\n-----END RSA PRIVATE KEY-----`;

test.each([
  ['a token', 'kubeadm join x --token 9a08jv.c0izixklcxtmnze7 now', 'c0izixklcxtmnze7'],
  ['a certificate key', `--certificate-key ${key}`, key],
  ['a private key', `a\n${pem}\nb`, 'MIIEowIBAAKCAQEAx'],
  ['a private key whose end is cut off', `a\n${pem.slice(0, 50)}`, 'MIIEow'],
  ['a service account token', 'Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJr.c2lnbmF0dXJl', 'eyJpc3MiOiJr'],
  ['key data of a kubeconfig', `    client-key-data: ${'LS0tLS1C'.repeat(4)}`, 'LS0tLS1C'],
  ['a password of keepalived', '  auth_pass 1111secret', '1111secret'],
  ['a password in a URL', 'proxy https://me:hunter22@proxy.example', 'hunter22'],
  ['a password in JSON', '{"password": "hunter22"}', 'hunter22'],
])('%s is taken out', (_what, text, secret) => {
  expect(text).toContain(secret);
  expect(redact(text)).not.toContain(secret);
});

test('what a diagnosis rests on stays', () => {
  const lines = [
    'error: error execution phase upload-config/kubeadm: could not bootstrap the admin user in file admin.conf: unable to create ClusterRoleBinding: Post "https://172.16.105.26:6443/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?timeout=10s": context deadline exceeded',
    'could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"',
    '(VI_1) ip address associated with VRID 51 not present in MASTER advert : 172.16.105.26',
  ];
  expect(lines.map(redact)).toEqual(lines);
});

test('a bundle gives the same findings as the nodes, is its owner’s only, and says nothing about how to log in', async () => {
  const { live } = evidenceOf(spec, (node) =>
    node.role === 'worker'
      ? {}
      : { look: (look) => ({ dials: { ...look.dials, endpoint: dials('172.16.105.26:6443', 12, { timedOut: 12 }) } }) },
  );
  if (live === undefined) throw new Error('no live evidence');
  const dir = await mkdtemp(join(tmpdir(), 'hairpin-support-'));
  const path = join(dir, 'a.tar.gz');
  try {
    const line = 'I1123 22:26:13.804141       1 shared_informer.go:524] "Waiting for caches to sync"\n';
    const texts = [
      { name: 'hairpin-support-prod/evidence.json', text: evidenceText(live) },
      { name: 'hairpin-support-prod/logs/m1/var/log/pods/kube-system_kube-proxy-x2p_1-2/kube-proxy/0.log', text: line },
      { name: 'hairpin-support-prod/journal/a.jsonl', text: '{"not":"a log"}\n' },
    ];
    await packTexts(path, texts, doctorNow);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { findings } = await diagnoseLogs([path]);
    expect(findings.map(({ cause, confidence, nodes, seen }) => ({ cause, confidence, nodes, seen }))).toEqual([
      {
        cause: 'endpoint-hairpins',
        confidence: 'certain',
        nodes: ['m1'],
        seen: [
          {
            where: 'm1',
            text: '0 of 12 connections to 172.16.105.26:6443 answered (w1 12 of 12), and every apiserver answers it directly',
          },
          { where: `${path}:${texts[1]?.name}:1`, text: line.trim() },
        ],
      },
    ]);
    const inside = gunzipSync(await readFile(path)).toString();
    expect(inside).not.toMatch(/operator|secret-name/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('evidence is read back as it was, dates included', () => {
  const { live } = evidenceOf(spec);
  if (live === undefined) throw new Error('no live evidence');
  const back = parseEvidence(evidenceText(live));
  expect(back?.now).toEqual(doctorNow);
  expect(back?.nodes.map(({ look }) => look)).toEqual(live.nodes.map(({ look }) => JSON.parse(JSON.stringify(look))));
  expect(parseEvidence('{"format":"hairpin-support/9"}')).toBeUndefined();
  expect(parseEvidence('hairpin-support/1 is no JSON')).toBeUndefined();
});
