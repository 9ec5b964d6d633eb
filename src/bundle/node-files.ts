/** Texts that a bundle puts on a node beside the programs: what the official packages have, and a plain containerd. Pure. */

export const kubeletUnit = `[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`;

export const kubeadmDropIn = `# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# This is a file that "kubeadm init" and "kubeadm join" generates at runtime, populating the KUBELET_KUBEADM_ARGS variable dynamically
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
# This is a file that the user can use for overrides of the kubelet args as a last resort. Preferably, the user should use
# the .NodeRegistration.KubeletExtraArgs object in the configuration files instead. KUBELET_EXTRA_ARGS should be sourced from this file.
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

const containerdUnit = `[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target dbus.service

[Service]
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=1
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`;

/** SystemdCgroup is what kubeadm's kubelet expects. Whoever needs something else puts a file into conf.d. */
function containerdConfig(pauseImage: string): string {
  return `version = 3
imports = ['/etc/containerd/conf.d/*.toml']

[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = '${pauseImage}'

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['/opt/cni/bin']
  conf_dir = '/etc/cni/net.d'

[plugins.'io.containerd.cri.v1.runtime'.containerd]
  default_runtime_name = 'runc'
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = true
`;
}

/** `pauseImage`: the one that this version of kubeadm names; the runtime must use the same, because nothing is pulled. */
export function bundledTexts(pauseImage: string): readonly { readonly path: string; readonly text: string }[] {
  return [
    { path: '/usr/lib/systemd/system/kubelet.service', text: kubeletUnit },
    { path: '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf', text: kubeadmDropIn },
    { path: '/usr/lib/systemd/system/containerd.service', text: containerdUnit },
    { path: '/etc/containerd/config.toml', text: containerdConfig(pauseImage) },
    { path: '/etc/crictl.yaml', text: 'runtime-endpoint: unix:///run/containerd/containerd.sock\n' },
    { path: '/etc/modules-load.d/hairpin-kubernetes.conf', text: 'overlay\nbr_netfilter\n' },
    {
      path: '/etc/sysctl.d/90-hairpin-kubernetes.conf',
      text: 'net.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 1\n',
    },
  ];
}

/** Programs of the bundle itself, and where each is on a node. */
export const bundledPrograms = [
  ['kubeadm', '/usr/bin/kubeadm'],
  ['kubelet', '/usr/bin/kubelet'],
  ['kubectl', '/usr/bin/kubectl'],
  ['etcdctl', '/usr/local/bin/etcdctl'],
  ['containerd', '/usr/local/bin/containerd'],
  ['containerd-shim-runc-v2', '/usr/local/bin/containerd-shim-runc-v2'],
  ['ctr', '/usr/local/bin/ctr'],
] as const;

/**
 * What a Debian with nothing but sshd lacks, with the libraries that only these packages need. Packages of a strategy
 * (keepalived, haproxy) are not among them: a plan says so where one is needed.
 */
export const bundledPackages = {
  conntrack: ['conntrack'],
  curl: ['curl'],
  ethtool: ['ethtool'],
  iproute2: ['ip', 'ss'],
  iptables: ['iptables'],
  kmod: ['modprobe'],
  nftables: ['nft'],
  procps: [],
  socat: ['socat'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
