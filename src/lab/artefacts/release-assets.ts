import type { BinaryName, ComponentName } from './components.ts';

/** Where projects publish: Kubernetes on a site of its own, the others as GitHub releases. */
export interface ReleaseSites {
  readonly kubernetes: string;
  readonly github: string;
}

/** `HAIRPIN_RELEASE_SITE` names a mirror of Kubernetes' release site. */
export function releaseSites(env: NodeJS.ProcessEnv = process.env): ReleaseSites {
  return { kubernetes: env.HAIRPIN_RELEASE_SITE ?? 'https://dl.k8s.io', github: 'https://github.com' };
}

export interface ReleaseAsset {
  readonly url: string;
  /** The published sha256: of this file alone, or lines of sha256sum. */
  readonly sums: string;
  /** The path in the archive; `undefined` where the asset is the program itself. */
  readonly member: string | undefined;
}

/** The published file that has a binary (the component's first one unless `name` is given); `undefined` where there is none. */
export function releaseAsset(
  component: ComponentName,
  version: string,
  arch: string,
  sites: ReleaseSites,
  name?: BinaryName,
): ReleaseAsset | undefined {
  const plain = version.slice(1);
  switch (component) {
    case 'kubernetes': {
      const url = `${sites.kubernetes}/release/${version}/bin/linux/${arch}/${name ?? 'kubeadm'}`;
      return { url, sums: `${url}.sha256`, member: undefined };
    }
    case 'etcd': {
      const base = `${sites.github}/etcd-io/etcd/releases/download/${version}`;
      const stem = `etcd-${version}-linux-${arch}`;
      return { url: `${base}/${stem}.tar.gz`, sums: `${base}/SHA256SUMS`, member: `${stem}/${name ?? 'etcd'}` };
    }
    case 'coredns': {
      const url = `${sites.github}/coredns/coredns/releases/download/${version}/coredns_${plain}_linux_${arch}.tgz`;
      return { url, sums: `${url}.sha256`, member: 'coredns' };
    }
    case 'containerd': {
      const base = `${sites.github}/containerd/containerd/releases/download/${version}`;
      // The static build: the other one wants a newer C library than the base image may have.
      const url = `${base}/containerd-static-${plain}-linux-${arch}.tar.gz`;
      return { url, sums: `${url}.sha256sum`, member: `bin/${name ?? 'containerd'}` };
    }
    case 'pause':
      return undefined;
  }
}
