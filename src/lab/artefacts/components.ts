/** What the lab's nodes run, and where each program comes from. Pure data; the sources read it. */
export type ComponentName = 'kubernetes' | 'etcd' | 'coredns' | 'containerd' | 'pause';

export const binaryNames = [
  ...([
    'kubeadm',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kubelet',
    'kube-proxy',
    'kubectl',
  ] as const),
  ...(['etcd', 'etcdctl', 'coredns', 'containerd', 'containerd-shim-runc-v2', 'ctr', 'pause'] as const),
] as const;
export type BinaryName = (typeof binaryNames)[number];

export interface Binary {
  readonly name: BinaryName;
  readonly component: ComponentName;
  /** The Go package of its main function; `undefined` for the main that the lab writes itself. */
  readonly goPackage: string | undefined;
  /**
   * Seconds to compile on 2 cores with an empty build cache, in the order of this list (later ones find much of their
   * work done): v1.37.2, Go 1.26.8, an idle machine. All of them by `time hairpin lab artefacts` with empty caches:
   * 15 m 19 s of processor time, so 8 m at best.
   */
  readonly seconds: number;
}

export const binaries: readonly Binary[] = [
  { name: 'kubeadm', component: 'kubernetes', goPackage: 'k8s.io/kubernetes/cmd/kubeadm', seconds: 136 },
  { name: 'kube-apiserver', component: 'kubernetes', goPackage: 'k8s.io/kubernetes/cmd/kube-apiserver', seconds: 185 },
  {
    name: 'kube-controller-manager',
    component: 'kubernetes',
    goPackage: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    seconds: 101,
  },
  { name: 'kube-scheduler', component: 'kubernetes', goPackage: 'k8s.io/kubernetes/cmd/kube-scheduler', seconds: 9 },
  { name: 'kubelet', component: 'kubernetes', goPackage: 'k8s.io/kubernetes/cmd/kubelet', seconds: 23 },
  { name: 'kube-proxy', component: 'kubernetes', goPackage: 'k8s.io/kubernetes/cmd/kube-proxy', seconds: 9 },
  { name: 'kubectl', component: 'kubernetes', goPackage: 'k8s.io/kubernetes/cmd/kubectl', seconds: 17 },
  { name: 'etcd', component: 'etcd', goPackage: 'go.etcd.io/etcd/server/v3', seconds: 41 },
  { name: 'etcdctl', component: 'etcd', goPackage: 'go.etcd.io/etcd/etcdctl/v3', seconds: 10 },
  { name: 'coredns', component: 'coredns', goPackage: undefined, seconds: 60 },
  {
    name: 'containerd',
    component: 'containerd',
    goPackage: 'github.com/containerd/containerd/v2/cmd/containerd',
    seconds: 50,
  },
  {
    name: 'containerd-shim-runc-v2',
    component: 'containerd',
    goPackage: 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
    seconds: 10,
  },
  { name: 'ctr', component: 'containerd', goPackage: 'github.com/containerd/containerd/v2/cmd/ctr', seconds: 7 },
  { name: 'pause', component: 'pause', goPackage: undefined, seconds: 2 },
];

/** The Go modules that hold a component; the first one's go.mod decides every other module's version. */
export const goModules: Readonly<Record<ComponentName, readonly string[]>> = {
  kubernetes: ['k8s.io/kubernetes'],
  etcd: ['go.etcd.io/etcd/server/v3', 'go.etcd.io/etcd/etcdctl/v3'],
  coredns: ['github.com/coredns/coredns'],
  containerd: ['github.com/containerd/containerd/v2'],
  pause: [],
};

export const containerdVersion = 'v2.4.2';
/** Of the lab's own pause program; raise it when go-programs.ts changes it. */
export const pauseVersion = 'v1';
