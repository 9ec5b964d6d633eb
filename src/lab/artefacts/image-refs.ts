/** The images a cluster of one Kubernetes version needs, as `kubeadm config images list` of that version prints them. */
export interface ImageRefs {
  readonly all: readonly string[];
  /** `v3.7.0`, from the tag `3.7.0-0` that kubeadm wants. */
  readonly etcdVersion: string;
  /** `v1.14.6` */
  readonly corednsVersion: string;
}

export function parseImageRefs(stdout: string): ImageRefs | undefined {
  const all = stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^[^\s]+\/[^\s]+:[^\s/]+$/.test(line));
  const etcd = /^(\d+\.\d+\.\d+)/.exec(tagOf(all, 'etcd') ?? '')?.[1];
  const coredns = tagOf(all, 'coredns');
  if (etcd === undefined || coredns === undefined || tagOf(all, 'pause') === undefined) return undefined;
  return { all, etcdVersion: `v${etcd}`, corednsVersion: coredns.startsWith('v') ? coredns : `v${coredns}` };
}

/** `kube-proxy` of `registry.k8s.io/kube-proxy:v1.37.2`; `coredns` of `registry.k8s.io/coredns/coredns:v1.14.6`. */
export function imageName(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1).split(':')[0] ?? ref;
}

function tagOf(refs: readonly string[], name: string): string | undefined {
  const ref = refs.find((candidate) => imageName(candidate) === name);
  return ref?.slice(ref.lastIndexOf(':') + 1);
}
