/**
 * Facts: what was seen on the nodes. Plain data that survives JSON; whoever plans, checks or diagnoses reads these and
 * never a node. Nothing in here is a wish, and nothing is guessed: what could not be seen says why.
 */
import type { Address } from '../std/address.ts';

/** One thing that was looked for. `unknown` carries the reason in the words of the tool that failed. */
export type Fact<T> = { readonly is: 'known'; readonly value: T } | { readonly is: 'unknown'; readonly reason: string };

export interface ClusterFacts {
  /** ISO time of this machine when gathering started. */
  readonly at: string;
  readonly ms: number;
  /** In the order asked. A node that is down is in it too. */
  readonly nodes: readonly NodeReport[];
  /** Values that only one node may have and several do. Empty when all is well. */
  readonly duplicates: readonly Duplicate[];
}

export type NodeReport =
  | { readonly is: 'seen'; readonly node: string; readonly ms: number; readonly facts: NodeFacts }
  /** `code` is an error code (`NODE_UNREACHABLE`, `NODE_HOST_KEY`, …). */
  | {
      readonly is: 'unreachable';
      readonly node: string;
      readonly ms: number;
      readonly code: string;
      readonly reason: string;
      readonly cause: string | undefined;
      readonly hint: string | undefined;
    };

export interface Duplicate {
  readonly what: 'machine-id' | 'product-uuid' | 'hostname' | 'address';
  readonly value: string;
  readonly nodes: readonly string[];
}

/** Everything seen on one node. Each field is one probe (src/facts/probes) and fails alone. */
export interface NodeFacts {
  readonly os: Fact<Os>;
  readonly kernel: Fact<Kernel>;
  /** Programs found, by name; one that is not there is absent. */
  readonly tools: Fact<Readonly<Record<string, Tool>>>;
  /** What hairpin's own program rests on, and what of it is there. */
  readonly program: Fact<ProgramHost>;
  readonly interfaces: Fact<readonly Interface[]>;
  readonly routes: Fact<readonly Route[]>;
  /** `ip route get` for each endpoint address that was asked for. */
  readonly endpointRoutes: Fact<readonly EndpointRoute[]>;
  readonly listening: Fact<readonly Listener[]>;
  readonly resolver: Fact<Resolver>;
  /** What the endpoint's name resolves to on this node (NSS: /etc/hosts first). Empty for an endpoint that is an address. */
  readonly endpointLookup: Fact<readonly Lookup[]>;
  readonly hosts: Fact<HostsFile>;
  /** Rules and sets of the node that name an endpoint address or port. */
  readonly packetRules: Fact<PacketRules>;
  /** What decides whether packets of pods pass the node's netfilter. */
  readonly datapath: Fact<Datapath>;
  readonly sysctls: Fact<Readonly<Record<string, string>>>;
  readonly swap: Fact<readonly SwapArea[]>;
  readonly memory: Fact<Memory>;
  readonly disks: Fact<readonly Disk[]>;
  readonly identity: Fact<Identity>;
  readonly clock: Fact<Clock>;
  /** systemd units by name: the usual ones and those asked for. A unit that does not exist is absent. */
  readonly units: Fact<Readonly<Record<string, Unit>>>;
  readonly kubeadm: Fact<KubeadmState>;
  readonly certificates: Fact<readonly Certificate[]>;
  readonly kubeconfigs: Fact<readonly Kubeconfig[]>;
  /** Asked of the node's own member; unknown where there is none or it does not answer. */
  readonly etcd: Fact<Etcd>;
  /** Asked of the node's own apiserver with admin.conf; unknown where there is none or it does not answer. */
  readonly api: Fact<ApiState>;
  /** The paths asked for, and what hairpin wrote earlier; one that is not there is absent. */
  readonly files: Fact<Readonly<Record<string, FileFact>>>;
  /** What hairpin left here earlier. */
  readonly ours: Fact<Ours>;
}

export interface Os {
  /** `debian`, `ubuntu`, `rocky`, …: ID of os-release. */
  readonly id: string;
  readonly idLike: readonly string[];
  readonly versionId: string | undefined;
  readonly prettyName: string;
  /** As uname says: `x86_64`, `aarch64`. */
  readonly machine: string;
  readonly hostname: string;
  readonly cpus: number;
  readonly systemd: boolean;
}

export interface Kernel {
  readonly release: string;
  readonly cgroup: 'v1' | 'hybrid' | 'v2' | 'none';
  /** Whether it works or can be loaded; `untried` when neither could be found out without changing something. */
  readonly features: Readonly<Record<KernelFeature, 'yes' | 'no' | 'untried'>>;
}

export const kernelFeatures = [
  'nf_tables',
  'nf_conntrack',
  'nf_nat',
  'ip_vs',
  'overlay',
  'br_netfilter',
  'bridge',
  'dummy',
  'vxlan',
] as const;
export type KernelFeature = (typeof kernelFeatures)[number];

export interface Tool {
  readonly path: string;
  /** `1.37.2`; undefined when it does not say. */
  readonly version: string | undefined;
}

export interface ProgramHost {
  /** `2.36`; undefined where the C library is another one. */
  readonly glibc: string | undefined;
  /** Libraries that the loader finds, of those that Node.js needs. */
  readonly libraries: readonly string[];
  /** System users of ours. */
  readonly users: readonly string[];
  /** Versions of the program that are there, whole. */
  readonly versions: readonly string[];
}

export interface Interface {
  readonly name: string;
  /** `veth`, `bridge`, `dummy`, …; `undefined` for hardware. */
  readonly kind: string | undefined;
  readonly mac: string | undefined;
  readonly mtu: number;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly addresses: readonly InterfaceAddress[];
}

export interface InterfaceAddress {
  readonly address: Address;
  readonly prefix: number;
  /** `global`, `link`, `host`. */
  readonly scope: string;
}

export interface Route {
  readonly family: 4 | 6;
  /** `default` or a network in CIDR notation. */
  readonly to: string;
  readonly via: Address | undefined;
  readonly device: string | undefined;
  readonly source: Address | undefined;
  readonly metric: number | undefined;
}

export interface EndpointRoute {
  readonly address: Address;
  /** `local`: the address is one of the node's own, packets never leave it. `none`: connect() fails at once. */
  readonly is: 'unicast' | 'local' | 'none';
  readonly via: Address | undefined;
  readonly device: string | undefined;
  readonly source: Address | undefined;
}

export interface Listener {
  readonly protocol: 'tcp' | 'udp';
  /** `0.0.0.0`, `::` (also IPv4 unless v6only) or one address; `*` is `::` without v6only. */
  readonly address: string;
  readonly port: number;
  /** Names of the programs that hold the socket; empty when they cannot be seen. */
  readonly programs: readonly string[];
  readonly pids: readonly number[];
}

export interface Resolver {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
}

export interface Lookup {
  readonly name: string;
  /** Empty: it does not resolve. */
  readonly addresses: readonly Address[];
  /** Whether /etc/hosts has the name. */
  readonly fromHosts: boolean;
}

export interface HostsFile {
  readonly text: string;
  readonly entries: readonly { readonly address: string; readonly names: readonly string[]; readonly line: number }[];
}

export interface PacketRules {
  /** `inet filter`, `ip hairpin`, …; empty without nft or without tables. */
  readonly nftTables: readonly string[];
  /** `ip nat PREROUTING: ip daddr 10.0.0.1 …`: rules that name an endpoint address. */
  readonly nft: readonly string[];
  /** The same of legacy iptables, as iptables-save prints it. */
  readonly iptables: readonly string[];
}

export interface Datapath {
  /** Files of /etc/cni/net.d with the types of their plugins; none in a file that is no JSON. */
  readonly cni: readonly { readonly path: string; readonly plugins: readonly string[] }[];
  /** As kube-proxy on this node says; `undefined` where none answers. */
  readonly kubeProxy: 'iptables' | 'nftables' | 'ipvs' | undefined;
}

export interface SwapArea {
  readonly device: string;
  readonly bytes: number;
}

export interface Memory {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

export interface Disk {
  /** The path that was asked about; the one that exists nearest to it when it does not exist. */
  readonly path: string;
  readonly mount: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly freeInodes: number;
}

export interface Identity {
  readonly machineId: string | undefined;
  readonly productUuid: string | undefined;
  readonly bootId: string | undefined;
}

export interface Clock {
  /** The node's clock minus this machine's. */
  readonly offsetMs: number;
  /** Half of the time between asking and answer: the offset is right within this. */
  readonly uncertaintyMs: number;
}

export interface Unit {
  /** `active`, `inactive`, `failed`, `activating`, … */
  readonly active: string;
  /** `enabled`, `disabled`, `static`, `masked`, … */
  readonly enabled: string;
}

/**
 * How far kubeadm got, from what is on disk. `half-*` means that kubeadm stopped in between: its files and its data do
 * not belong to a working node.
 */
export type KubeadmPhase = 'nothing' | 'half-init' | 'half-join' | 'control-plane' | 'worker';

export interface KubeadmState {
  readonly phase: KubeadmPhase;
  /** Why `phase` is what it is, in words; of use with `half-*`. */
  readonly because: string;
  /** Paths that exist, of those that kubeadm makes. */
  readonly present: readonly string[];
  /** Static pods by manifest name, with the image and the flags that matter. */
  readonly staticPods: readonly StaticPod[];
  /** `/var/lib/etcd/member` has data. */
  readonly etcdData: boolean;
  /** What the kubelet uses: `/var/lib/kubelet/config.yaml` and kubeadm-flags.env exist. */
  readonly kubeletConfigured: boolean;
}

export interface StaticPod {
  readonly name: string;
  readonly image: string | undefined;
  /** Arguments of the first container, `--name` → value; `true` for a flag without one. */
  readonly flags: Readonly<Record<string, string>>;
}

export interface Certificate {
  readonly path: string;
  readonly subject: string;
  readonly issuer: string;
  /** ISO times. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  /** SHA-256 of the certificate, lower-case hex without colons: the same CA on all masters shows here. */
  readonly fingerprint: string;
}

export interface Kubeconfig {
  readonly path: string;
  /** `https://10.0.0.1:6443`; undefined when there is none. */
  readonly server: string | undefined;
  /** SHA-256 of the CA data, to tell clusters apart. */
  readonly caFingerprint: string | undefined;
}

export interface Etcd {
  readonly clusterId: string | undefined;
  readonly members: readonly EtcdMember[];
}

export interface EtcdMember {
  /** Hexadecimal, as etcdctl wants it. */
  readonly id: string;
  /** Empty for a member that was added and never started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly learner: boolean;
}

export interface ApiState {
  /** `v1.37.2` of the node's own apiserver. */
  readonly version: string;
  readonly ready: boolean;
  readonly nodes: readonly ApiNode[];
  /** Names of the config maps in kube-system; `kubeadm-config` is what `upload-config` made. */
  readonly configMaps: readonly string[];
  /** ClusterConfiguration as kubeadm keeps it in the cluster, YAML. */
  readonly clusterConfiguration: string | undefined;
  /** What kube-proxy dials. */
  readonly kubeProxyServer: string | undefined;
  /** Names of daemon sets and deployments in kube-system with ready and wanted counts. */
  readonly workloads: readonly { readonly name: string; readonly ready: number; readonly wanted: number }[];
  /** Bootstrap tokens that hairpin made and that still exist: a run was killed before it could delete them. */
  readonly joinTokens?: number;
}

export interface ApiNode {
  readonly name: string;
  readonly ready: boolean;
  readonly controlPlane: boolean;
  readonly kubelet: string;
  readonly addresses: readonly string[];
  /** `NoSchedule` taint of cordon or drain. */
  readonly unschedulable: boolean;
}

export interface FileFact {
  readonly sha256: string;
  /** Octal without the leading zero: `644`. */
  readonly mode: string;
  readonly owner: string;
  readonly bytes: number;
}

export interface Ours {
  /** Lines of the manifest: what hairpin wrote, path → hashes. */
  readonly written: Readonly<Record<string, readonly string[]>>;
  /** Paths of backups that exist. */
  readonly backups: readonly string[];
  readonly journal: boolean;
}
