import { describe, expect, test } from 'vitest';
import { apisReadBy, documentProblems, kubeadmApiFor } from '../../../src/render/kubeadm/api.ts';
import { credentialCommands, flagsOf, initCommand, joinCommand } from '../../../src/render/kubeadm/commands.ts';
import { dialsOf } from '../../../src/render/kubeadm/dials.ts';
import {
  credentialDocuments,
  type DocumentOptions,
  initDocuments,
  joinDocuments,
} from '../../../src/render/kubeadm/documents.ts';
import { gateExists, gatesMissing } from '../../../src/render/kubeadm/gates.ts';
import { mergeOver } from '../../../src/render/kubeadm/merge.ts';
import { hole, showSecretText, toSecretText } from '../../../src/render/kubeadm/secret-text.ts';
import { renderDocuments } from '../../../src/render/kubeadm/yaml.ts';
import type { Spec } from '../../../src/spec/spec.ts';
import { version } from '../../../src/std/version.ts';
import { specOf } from '../../support/spec.ts';

const options: DocumentOptions = {
  uploadCertificates: true,
  featureGates: { ControlPlaneKubeletLocalMode: true },
  discoveryTimeoutSeconds: 60,
  endpointIsOnNodes: true,
};

function clusterAt(text: string, extra = ''): Spec {
  return specOf(`apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: prod }
spec:
  kubernetes: { version: ${text}, podSubnet: 10.244.0.0/16, imageRepository: registry.example/k8s }
  endpoint: { address: 172.16.105.26, port: 6443 }
  balancer: { hairpin: drop }
  strategy: bind-vip
  nodes:
    - { name: m1, role: control-plane, address: 172.16.104.54 }
    - { name: m2, role: control-plane, address: 172.16.104.55 }
    - { name: m3, role: control-plane, address: 172.16.104.56 }
    - { name: w1, role: worker, address: 172.16.104.57 }
${extra}`);
}

function everything(spec: Spec): string {
  const [m1, m2, , w1] = spec.nodes;
  if (m1 === undefined || m2 === undefined || w1 === undefined) throw new Error('the spec has four nodes');
  const show = (title: string, text: string) => `# ${title}\n${text}`;
  return [
    show('init on m1', showSecretText(renderDocuments(initDocuments(spec, m1, options)))),
    show('join of m2', showSecretText(renderDocuments(joinDocuments(spec, m2, options)))),
    show('join of w1', showSecretText(renderDocuments(joinDocuments(spec, w1, options)))),
    show('credentials on m1', showSecretText(renderDocuments(credentialDocuments(spec, m1, options)))),
  ].join('\n');
}

describe('kubeadm documents', () => {
  test.each([
    { name: 'v1beta1', at: 'v1.14.1' },
    { name: 'v1beta2', at: 'v1.18.20' },
    { name: 'v1beta3', at: 'v1.27.3' },
    { name: 'v1beta4-with-gate', at: 'v1.31.2' },
    { name: 'v1beta4', at: 'v1.37.2' },
  ])('$name of $at is as the golden file', async ({ name, at }) => {
    await expect(everything(clusterAt(at))).toMatchFileSnapshot(`../../golden/kubeadm/${name}.yaml`);
  });

  test('v1 of v1.38 is as the golden file, because a document of the user asks for it', async () => {
    const spec = clusterAt(
      'v1.38.0',
      `  kubeadm: { documents: [ { apiVersion: kubeadm.k8s.io/v1, kind: ClusterConfiguration, certificateValidityPeriod: 17520h } ] }`,
    );
    await expect(everything(spec)).toMatchFileSnapshot('../../golden/kubeadm/v1.yaml');
  });

  test('users documents win, and add to what is ours where that is meant', async () => {
    const spec = clusterAt(
      'v1.37.2',
      `  kubeadm:
    documents:
      - apiVersion: kubeadm.k8s.io/v1beta4
        kind: InitConfiguration
        nodeRegistration:
          criSocket: unix:///run/containerd/containerd.sock
          kubeletExtraArgs: [ { name: v, value: "4" } ]
          ignorePreflightErrors: [all]
      - apiVersion: kubeadm.k8s.io/v1beta4
        kind: ClusterConfiguration
        clusterName: theirs
        apiServer: { certSANs: [api.example] }
      - apiVersion: kubeadm.k8s.io/v1beta4
        kind: JoinConfiguration
        timeouts: { discovery: 5m0s, tlsBootstrap: 5m0s }
        patches: { directory: /etc/kubernetes/patches }
      - apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        failCgroupV1: false
      - apiVersion: kubeproxy.config.k8s.io/v1alpha1
        kind: KubeProxyConfiguration
        mode: ipvs
`,
    );
    await expect(everything(spec)).toMatchFileSnapshot('../../golden/kubeadm/users-documents.yaml');
  });
});

test('joins are told endpoint and CA in a file from 1.34 on, and look for them before', () => {
  expect(everything(clusterAt('v1.34.4', ''))).toContain('kubeConfigPath');
  expect(everything(clusterAt('v1.33.5', ''))).toContain('caCertHashes');
});

describe('versions of kubeadm', () => {
  test.each([
    { at: 'v1.14.1', api: 'v1beta1', reads: ['v1beta1'] },
    { at: 'v1.15.0', api: 'v1beta2', reads: ['v1beta1', 'v1beta2'] },
    { at: 'v1.21.14', api: 'v1beta2', reads: ['v1beta1', 'v1beta2'] },
    { at: 'v1.22.0', api: 'v1beta3', reads: ['v1beta2', 'v1beta3'] },
    { at: 'v1.30.9', api: 'v1beta3', reads: ['v1beta3'] },
    { at: 'v1.31.0', api: 'v1beta4', reads: ['v1beta3', 'v1beta4'] },
    { at: 'v1.36.3', api: 'v1beta4', reads: ['v1beta3', 'v1beta4'] },
    { at: 'v1.37.2', api: 'v1beta4', reads: ['v1beta4'] },
    { at: 'v1.38.0', api: 'v1beta4', reads: ['v1beta4', 'v1'] },
  ])('$at is written $api', ({ at, api, reads }) => {
    expect([kubeadmApiFor(version(at)), apisReadBy(version(at))]).toEqual([api, reads]);
  });

  test.each([
    { at: 'v1.14.1', dials: ['endpoint', 'endpoint', 'endpoint'] },
    { at: 'v1.19.0', dials: ['endpoint', 'endpoint', 'local'] },
    { at: 'v1.31.2', dials: ['endpoint', 'endpoint', 'local'] },
    { at: 'v1.33.0', dials: ['endpoint', 'local', 'local'] },
    { at: 'v1.34.4', dials: ['endpoint', 'local', 'local'] },
    { at: 'v1.35.4', dials: ['endpoint', 'local', 'local'] },
    { at: 'v1.36.1', dials: ['endpoint', 'local', 'local'] },
    { at: 'v1.36.3', dials: ['local', 'local', 'local'] },
    { at: 'v1.37.2', dials: ['local', 'local', 'local'] },
  ])('in $at init, kubelet and controllers of a master dial $dials', ({ at, dials }) => {
    const { kubeadmInit, masterKubelet, controllers } = dialsOf(version(at));
    expect([kubeadmInit, masterKubelet, controllers]).toEqual(dials);
  });

  test('the gate moves the kubelet where it exists', () => {
    expect(dialsOf(version('v1.31.2'), true).masterKubelet).toBe('local');
    expect(dialsOf(version('v1.34.4'), false).masterKubelet).toBe('endpoint');
    expect(dialsOf(version('v1.35.4'), false).masterKubelet).toBe('local');
  });

  test('the gate exists from 1.31 to 1.35', () => {
    const minors = ['v1.30.0', 'v1.31.0', 'v1.35.9', 'v1.36.0'];
    expect(minors.map((v) => gateExists('ControlPlaneKubeletLocalMode', version(v)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(gatesMissing({ ControlPlaneKubeletLocalMode: true, SomebodyElses: true }, version('v1.37.2'))).toEqual([
      'ControlPlaneKubeletLocalMode',
    ]);
  });

  test('flags are as they were', () => {
    expect(flagsOf(version('v1.14.1'))).toEqual({
      uploadCerts: '--experimental-upload-certs',
      controlPlane: '--experimental-control-plane',
    });
    expect(flagsOf(version('v1.15.0'))).toEqual({ uploadCerts: '--upload-certs', controlPlane: '--control-plane' });
  });

  test('commands name a file and no secret', () => {
    expect(initCommand(version('v1.37.2'), true).join(' ')).toBe(
      'kubeadm init --config /run/hairpin/kubeadm-init.yaml --upload-certs --skip-certificate-key-print --skip-token-print',
    );
    expect(initCommand(version('v1.14.1'), false).join(' ')).toBe(
      'kubeadm init --config /run/hairpin/kubeadm-init.yaml --skip-token-print',
    );
    expect(joinCommand().join(' ')).toBe('kubeadm join --config /run/hairpin/kubeadm-join.yaml');
    expect(credentialCommands(version('v1.37.2'), true).map((argv) => argv.join(' '))).toEqual([
      'kubeadm token create --config /run/hairpin/kubeadm-credentials.yaml',
      'kubeadm init phase upload-certs --upload-certs --skip-certificate-key-print --config /run/hairpin/kubeadm-credentials.yaml',
    ]);
  });

  test('documents that this kubeadm would refuse are found', () => {
    const documents = [
      { apiVersion: 'kubeadm.k8s.io/v1beta3', kind: 'ClusterConfiguration' },
      { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'UpgradeConfiguration' },
      { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' },
    ];
    expect(documentProblems(version('v1.37.2'), documents).map(({ code, index }) => [code, index])).toEqual([
      ['KUBEADM_DOCUMENT_API', 0],
      ['KUBEADM_DOCUMENT_KIND', 1],
    ]);
    expect(documentProblems(version('v1.36.3'), documents.slice(0, 1))).toEqual([]);
  });
});

describe('mergeOver()', () => {
  test.each([
    { name: 'maps go key by key', a: { x: { p: 1, q: 2 } }, b: { x: { q: 3 } }, want: { x: { p: 1, q: 3 } } },
    { name: 'lists are replaced', a: { x: [1, 2] }, b: { x: [3] }, want: { x: [3] } },
    {
      name: 'certSANs are joined',
      a: { certSANs: ['a'] },
      b: { certSANs: ['b', 'a'] },
      want: { certSANs: ['a', 'b'] },
    },
    {
      name: 'named lists go name by name',
      a: {
        x: [
          { name: 'v', value: '1' },
          { name: 'w', value: '2' },
        ],
      },
      b: { x: [{ name: 'v', value: '9' }] },
      want: {
        x: [
          { name: 'w', value: '2' },
          { name: 'v', value: '9' },
        ],
      },
    },
    { name: 'null wins', a: { x: { p: 1 } }, b: { x: null }, want: { x: null } },
  ])('$name', ({ a, b, want }) => {
    expect(mergeOver(a, b)).toEqual(want);
  });
});

describe('secret text', () => {
  test('holes become references and nothing else does', () => {
    const text = `token: "${hole('join-token')}"\nkey: '${hole('certificate-key')}' @@hairpin:other@@\n`;
    expect(toSecretText(text)).toEqual([
      'token: "',
      { secret: 'join-token' },
      `"\nkey: '`,
      { secret: 'certificate-key' },
      `' @@hairpin:other@@\n`,
    ]);
  });
});
