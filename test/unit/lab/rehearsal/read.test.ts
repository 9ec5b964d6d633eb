import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { parseJoin } from '../../../../src/lab/rehearsal/by-hand.ts';
import { bridgeConflist } from '../../../../src/lab/rehearsal/cni.ts';
import { initDocuments } from '../../../../src/lab/rehearsal/kubeadm-documents.ts';
import { countOutcomes, readProxyLog } from '../../../../src/lab/rehearsal/observe.ts';
import { readNodes } from '../../../../src/lab/rehearsal/ready.ts';
import { redact } from '../../../../src/lab/rehearsal/redact.ts';
import { drawTopology } from '../../../../src/lab/topology/draw.ts';
import { labSpec } from '../../../support/lab-spec.ts';

const run = (name: string) => readFileSync(new URL(`../../../fixtures/kubeadm-runs/${name}`, import.meta.url), 'utf8');

describe('parseJoin()', () => {
  test('reads what a real `kubeadm init --upload-certs` printed', () => {
    expect(parseJoin(run('v1.37.2-drop/kubeadm-init.txt'))).toEqual({
      endpoint: '172.16.105.26:6443',
      token: 'abcdef.0123456789abcdef',
      caHash: `sha256:${'f'.repeat(64)}`,
      certificateKey: 'f'.repeat(64),
    });
  });

  test('gives nothing for an `init` that failed', () => {
    expect(parseJoin(run('v1.34.4-drop/kubeadm-init.txt'))).toBeUndefined();
  });
});

describe('readProxyLog()', () => {
  test.each([
    { name: 'behind drop it waits for ever', file: 'v1.37.2-drop/after-init/m1/kube-proxy.log', synced: false },
    { name: 'on a worker it has its Services', file: 'v1.37.2-drop/after-joins/w1/kube-proxy.log', synced: true },
  ])('$name', ({ file, synced }) => {
    expect(readProxyLog(run(file))).toEqual({ waiting: true, synced });
  });

  test('an empty log is neither', () => {
    expect(readProxyLog('')).toEqual({ waiting: false, synced: false });
  });
});

test('the captured run is what the issue says: reported success, and a master that loses everything', () => {
  expect(run('v1.37.2-drop/kubeadm-init.txt')).toContain('Your Kubernetes control-plane has initialized successfully!');
  expect(run('v1.34.4-drop/kubeadm-init.txt')).toContain('error execution phase upload-config/kubeadm');
  expect(run('v1.37.2-drop/after-init/kubeadm-token-create.txt')).toContain('context deadline exceeded');
  const rows = JSON.parse(run('v1.37.2-drop/after-init/connections.json')) as { machine: string; silent: number }[];
  expect(rows.map(({ machine, silent }) => [machine, silent])).toEqual([
    ['m1', 60],
    ['m2', 0],
    ['m3', 0],
    ['w1', 0],
    ['c1', 0],
  ]);
});

test('countOutcomes() counts exit codes', () => {
  expect(countOutcomes('m1', '0\n124\n1\n0\n')).toEqual({
    machine: 'm1',
    tries: 4,
    answered: 2,
    silent: 1,
    refused: 1,
  });
});

test('readNodes() joins nodes with their leases; a node without one has never said that it lives', () => {
  expect(readNodes('m1 True\nw1 Unknown\n', 'm1 2026-11-23T22:15:41.5Z\n')).toEqual([
    { name: 'm1', ready: true, renewed: Date.UTC(2026, 10, 23, 22, 15, 41, 500) },
    { name: 'w1', ready: false, renewed: 0 },
  ]);
});

describe('redact()', () => {
  test.each([
    { name: 'a token', text: '--token c78bte.t2hjrqugjtferj83', left: '--token abcdef.0123456789abcdef' },
    { name: 'a CA hash', text: `sha256:${'a1'.repeat(32)}`, left: `sha256:${'f'.repeat(64)}` },
    { name: 'a certificate key', text: `key ${'a1'.repeat(32)}`, left: `key ${'f'.repeat(64)}` },
    {
      name: 'a private key',
      text: '-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----',
      left: '-----REDACTED-----',
    },
    { name: 'a service account’s token', text: 'Bearer eyJhbGciOi.eyJhdWQi.c2ln-_', left: 'Bearer JWT-REDACTED' },
    { name: 'colours', text: '\u001b[0;37mOS\u001b[0m', left: 'OS' },
    { name: 'the build of this machine’s kernel', text: '6.18.44-fc-v669', left: '6.18.44' },
    { name: 'nothing else', text: 'm1 172.16.104.54 v1.37.2 exit 0', left: 'm1 172.16.104.54 v1.37.2 exit 0' },
  ])('$name', ({ text, left }) => {
    expect(redact(text)).toBe(left);
  });
});

test('initDocuments() say nothing but what the manual asks for and what the lab’s kernel needs', () => {
  const spec = labSpec({ ip: 'dual', tier: 'node' });
  const [leader] = spec.machines;
  if (leader === undefined) throw new Error('no machine');
  const documents = initDocuments(spec, leader)
    .split('---\n')
    .map((text) => parseDocument(text).toJS() as unknown);
  expect(documents).toEqual([
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: '172.16.104.54', bindPort: 6443 },
      nodeRegistration: {
        name: 'm1',
        kubeletExtraArgs: [{ name: 'node-ip', value: '172.16.104.54,fd00:172:16:104::54' }],
      },
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'ClusterConfiguration',
      kubernetesVersion: 'v1.37.2',
      controlPlaneEndpoint: '172.16.105.26:6443',
      networking: { podSubnet: '10.244.0.0/16,fd00:10:244::/48', serviceSubnet: '10.96.0.0/12,fd00:10:96::/112' },
    },
    {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      conntrack: { maxPerCore: 0, min: 0 },
    },
  ]);
});

test('bridgeConflist() gives a node its own share of the pod subnets', () => {
  const [, second] = drawTopology(labSpec({ ip: 'dual', tier: 'node' })).machines;
  if (second === undefined) throw new Error('no machine');
  expect(JSON.parse(bridgeConflist(second))).toMatchObject({
    cniVersion: '1.0.0',
    plugins: [
      {
        type: 'bridge',
        ipam: { ranges: [[{ subnet: '10.244.1.0/24' }], [{ subnet: 'fd00:10:244:1::/64' }]] },
      },
      { type: 'portmap' },
    ],
  });
});
