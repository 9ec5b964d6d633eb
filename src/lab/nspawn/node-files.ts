import { kubeadmDropIn, kubeletUnit } from '../../bundle/node-files.ts';

/** One file of a node's read-only layer. Owner is root. */
export interface NodeFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

export interface LayerFacts {
  /** The pause image that the wanted kubeadm names; the CRI must use the same, because nothing can be pulled. */
  readonly pauseImage: string;
}

/** Where the lab's own helpers are on a node; nothing of a real machine is there. */
export const labDir = '/usr/lib/hairpin-lab';
/** Written when sshd serves; the host looks at it instead of trying to connect. */
export const readyFile = '/run/hairpin-lab/ready';

/** Units that start at boot, by the target that wants them. */
export const enabledUnits = [
  ['multi-user.target', '/usr/lib/systemd/system/containerd.service'],
  ['multi-user.target', '/usr/lib/systemd/system/kubelet.service'],
  ['multi-user.target', '/usr/lib/systemd/system/hairpin-lab-ready.service'],
  ['sysinit.target', '/usr/lib/systemd/system/hairpin-lab-kernel.service'],
] as const;

/** Units that a node has no use for and that take inotify instances, of which root has few: see inotify.ts. */
export const maskedUnits = [
  'systemd-ask-password-console.path',
  'systemd-ask-password-wall.path',
  'systemd-logind.service',
] as const;

/**
 * What makes a plain Debian a machine on which somebody has installed Kubernetes as the manual says (kubelet.service
 * and its drop-in are those of the official packages), and what a node needs because it shares its kernel.
 */
export function nodeFiles(facts: LayerFacts): readonly NodeFile[] {
  return [
    text('/usr/lib/systemd/system/kubelet.service', kubeletUnit),
    text('/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf', kubeadmDropIn),
    ...kubeletLabFiles,
    text('/usr/lib/systemd/system/containerd.service', containerdUnit),
    text('/etc/containerd/config.toml', containerdConfig(facts)),
    text('/etc/crictl.yaml', 'runtime-endpoint: unix:///run/containerd/containerd.sock\n'),
    text('/etc/sysctl.d/k8s.conf', 'net.ipv4.ip_forward = 1\n'),
    ...machineFiles,
  ];
}

/** A machine with sshd and nothing of Kubernetes; containerd's settings for the lab are there for when it comes. */
export function bareNodeFiles(facts: LayerFacts): readonly NodeFile[] {
  const runtime = text('/etc/containerd/conf.d/hairpin-lab.toml', containerdConfig(facts));
  return [runtime, ...kubeletLabFiles, ...machineFiles];
}

/** The kubelet writes these when they differ, and they are the host's own. */
const kernelValues = [
  ['vm/overcommit_memory', 1],
  ['vm/panic_on_oom', 0],
  ['kernel/panic', 10],
  ['kernel/panic_on_oops', 1],
  ['kernel/keys/root_maxkeys', 1_000_000],
  ['kernel/keys/root_maxbytes', 25_000_000],
] as const;

/**
 * People of a node. root and both of these log in with the lab's key; `ops` may do everything without a password,
 * `admin` has to give one. The hash is of a password that anybody may know: `openssl passwd -6 -salt hairpinlab hairpin`.
 */
export const adminPassword = 'hairpin';
const adminHash =
  '$6$hairpinlab$YWxaaMyVIxW7qO5eTVKiMTWxJ82TzfM7lPjefUjGkj.7Y0BBNaKBxNANqsKZknJBFd5Ehmn3fAXnpD6gZAtQB1';
export const people = [
  { name: 'ops', uid: 1000, hash: '*' },
  { name: 'admin', uid: 1001, hash: adminHash },
] as const;

function text(path: string, content: string, mode = 0o644): NodeFile {
  return { path, content, mode };
}

// A real node's kubelet restarts every 10 s until kubeadm has run. Four of them would do nothing but warm the machine.
const kubeletLabDropIn = `[Unit]
ConditionPathExists=/var/lib/kubelet/config.yaml
After=hairpin-lab-kernel.service containerd.service
`;

/** Of every kubelet in the lab, whatever its cluster says: the node is a container on a host that may have cgroup v1 and swap. */
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
`;

const containerdUnit = `[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=dbus.service hairpin-lab-kernel.service
Requires=hairpin-lab-kernel.service

[Service]
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=1
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`;

/** `restrict_oom_score_adj`: without CAP_SYS_RESOURCE runc dies when it lowers a score. */
function containerdConfig(facts: LayerFacts): string {
  return `version = 3
disabled_plugins = [
  'io.containerd.nri.v1.nri', 'io.containerd.tracing.processor.v1.otlp', 'io.containerd.internal.v1.tracing',
  'io.containerd.snapshotter.v1.btrfs', 'io.containerd.snapshotter.v1.zfs', 'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.blockfile', 'io.containerd.snapshotter.v1.erofs',
]

[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = '${facts.pauseImage}'

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['/opt/cni/bin', '/usr/lib/cni']
    conf_dir = '/etc/cni/net.d'
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = 'runc'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = 'io.containerd.runc.v2'
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

const sshdConfig = `AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/lab_authorized_keys
HostKey /etc/ssh/ssh_host_ed25519_key
MaxSessions 100
MaxStartups 100
`;

const kernelUnit = `[Unit]
Description=What a node needs because it shares its kernel with others
DefaultDependencies=no
Before=sysinit.target containerd.service kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${labDir}/kernel
`;

// nspawn mounts the controllers of cgroup v1 read-only; "bind" is what makes the kernel change this mount only.
const kernelScript = `#!/bin/sh
mount --make-rshared /
if [ "$(stat -f -c %T /sys/fs/cgroup)" = tmpfs ]; then
  mount -o remount,rw /sys/fs/cgroup
  for dir in /sys/fs/cgroup/*/; do
    [ -L "\${dir%/}" ] || ! mountpoint -q "$dir" || mount -o remount,bind,rw "$dir"
  done
else
  mount -o remount,bind,rw /sys/fs/cgroup
fi
cd ${labDir}/sysctl && find . -type f | while read -r file; do
  [ -e "/proc/sys/$file" ] && mount --bind "$file" "/proc/sys/$file"
done
exit 0
`;

const readyUnit = `[Unit]
Description=Tells the lab that this node can be used
After=ssh.service
Requires=ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'mkdir -p ${readyFile.slice(0, readyFile.lastIndexOf('/'))} && touch ${readyFile}'
`;

/** What every kubelet of the lab is told, also one that comes later. */
const kubeletLabFiles: readonly NodeFile[] = [
  text('/usr/lib/systemd/system/kubelet.service.d/20-hairpin-lab.conf', kubeletLabDropIn),
  text('/etc/default/kubelet', 'KUBELET_EXTRA_ARGS=--config-dir=/etc/kubernetes/kubelet.conf.d\n'),
  text('/etc/kubernetes/kubelet.conf.d/10-hairpin-lab.conf', kubeletConfig),
];

/** What makes it a node of the lab, with Kubernetes on it or not. */
const machineFiles: readonly NodeFile[] = [
  text('/etc/ssh/sshd_config.d/10-hairpin-lab.conf', sshdConfig),
  text('/etc/sudoers.d/hairpin-lab', 'ops ALL=(ALL:ALL) NOPASSWD: ALL\nadmin ALL=(ALL:ALL) ALL\n', 0o440),
  text('/usr/lib/systemd/system/hairpin-lab-kernel.service', kernelUnit),
  text('/usr/lib/systemd/system/hairpin-lab-ready.service', readyUnit),
  text(`${labDir}/kernel`, kernelScript, 0o755),
  ...kernelValues.map(([key, value]) => text(`${labDir}/sysctl/${key}`, `${value}\n`)),
];
