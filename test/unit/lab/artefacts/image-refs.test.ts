import { describe, expect, test } from 'vitest';
import { imageName, parseImageRefs } from '../../../../src/lab/artefacts/image-refs.ts';
import { binariesOf } from '../../../../src/lab/artefacts/image-specs.ts';

/** Printed by `kubeadm config images list --kubernetes-version V` of the kubeadm of each version. */
const printed = {
  'v1.34.4': ['coredns/coredns:v1.12.1', 'pause:3.10.1', 'etcd:3.6.5-0'],
  'v1.35.4': ['coredns/coredns:v1.13.1', 'pause:3.10.1', 'etcd:3.6.6-0'],
  'v1.36.3': ['coredns/coredns:v1.14.2', 'pause:3.10.2', 'etcd:3.6.8-0'],
  'v1.37.2': ['coredns/coredns:v1.14.6', 'pause:3.10.2', 'etcd:3.7.0-0'],
} as const;
const listOf = (version: keyof typeof printed) =>
  ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy']
    .map((name) => `${name}:${version}`)
    .concat(printed[version])
    .map((ref) => `registry.k8s.io/${ref}`);

describe('parseImageRefs()', () => {
  test.each([
    { version: 'v1.34.4', etcd: 'v3.6.5', coredns: 'v1.12.1' },
    { version: 'v1.35.4', etcd: 'v3.6.6', coredns: 'v1.13.1' },
    { version: 'v1.36.3', etcd: 'v3.6.8', coredns: 'v1.14.2' },
    { version: 'v1.37.2', etcd: 'v3.7.0', coredns: 'v1.14.6' },
  ] as const)('reads what kubeadm $version prints', ({ version, etcd, coredns }) => {
    const all = listOf(version);
    expect(parseImageRefs(`${all.join('\n')}\n`)).toEqual({ all, etcdVersion: etcd, corednsVersion: coredns });
  });

  test('passes over what kubeadm says besides', () => {
    const all = listOf('v1.37.2');
    const warned = `W1123 version.go:108] could not fetch a Kubernetes version\n${all.join('\n')}\n`;
    expect(parseImageRefs(warned)?.all).toEqual(all);
  });

  test('gives nothing where etcd is not in the list', () => {
    expect(parseImageRefs('registry.k8s.io/pause:3.10\nregistry.k8s.io/coredns/coredns:v1.1.1\n')).toBeUndefined();
  });
});

test('every image of every version has its binaries', () => {
  const names = [...new Set(Object.keys(printed).flatMap((v) => listOf(v as keyof typeof printed).map(imageName)))];
  expect(Object.fromEntries(names.map((name) => [name, binariesOf(`x.example:5000/${name}:v1`)]))).toEqual({
    'kube-apiserver': ['kube-apiserver'],
    'kube-controller-manager': ['kube-controller-manager'],
    'kube-scheduler': ['kube-scheduler'],
    'kube-proxy': ['kube-proxy'],
    coredns: ['coredns'],
    pause: ['pause'],
    etcd: ['etcd', 'etcdctl'],
  });
});
