/**
 * What the doctor judges: plain data, from live nodes or from files. Whoever collects it has no opinion; whoever judges
 * it (`causes/`, `diagnose.ts`) asks nobody. Everything in it may be missing, with its reason.
 */
import type { CheckResult } from '../check/check.ts';
import type { ClusterFacts, NodeFacts } from '../facts/types.ts';
import type { Spec, SpecNode } from '../spec/spec.ts';

/** Which program wrote a log; `kubeadm` is what a person saw on the terminal. */
export const components = [
  'kubeadm',
  'kubelet',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'etcd',
  'coredns',
  'containerd',
  'haproxy',
  'keepalived',
  'agent',
  'kernel',
  'unknown',
] as const;
export type Component = (typeof components)[number];

/** One line of a log, whatever wrapped it. */
export interface LogEntry {
  /** The file as it was named, `BUNDLE:MEMBER`, or `NODE: UNIT` for what was read from a live node. */
  readonly source: string;
  /** From 1. Of a journal export the line of its MESSAGE. */
  readonly line: number;
  /** Milliseconds since the epoch where the line says it whole; klog's own times have no year. */
  readonly at: number | undefined;
  readonly node: string | undefined;
  readonly component: Component;
  readonly text: string;
}

/** How one client reached one `HOST:PORT` over new connections, each with one request. */
export interface Dials {
  readonly to: string;
  readonly tries: number;
  /** Answered with an HTTP status, whichever. */
  readonly answered: number;
  readonly refused: number;
  /** No TCP connection within the limit. */
  readonly timedOut: number;
  /** TCP was accepted, and then nobody spoke within the limit. */
  readonly silent: number;
  /** Anything else: no route, a name that does not resolve, TLS that failed. */
  readonly failed: number;
  /** HTTP statuses that came, each once. */
  readonly statuses: readonly number[];
}

export interface KeepalivedFile {
  readonly path: string;
  readonly instances: readonly {
    readonly name: string;
    readonly state: string | undefined;
    readonly interface: string | undefined;
    readonly routerId: number | undefined;
    readonly priority: number | undefined;
    /** Empty: adverts go to the multicast group. */
    readonly unicastPeers: readonly string[];
    /** Without prefix length. */
    readonly addresses: readonly string[];
  }[];
}

/** What facts do not have and a diagnosis needs: tried and read on one node, in one round trip. */
export interface NodeLook {
  /** Nothing without curl. */
  readonly dials: {
    readonly endpoint: Dials | undefined;
    readonly masters: readonly (Dials & { readonly master: string })[];
  };
  /** Pods that use the node's network and have a copy of /etc/hosts; static ones have no dash in their uid. */
  readonly podHosts: readonly {
    readonly pod: string;
    readonly static: boolean;
    readonly addresses: readonly string[];
  }[];
  /** What the node's own /etc/hosts says about the endpoint's name. */
  readonly ownHosts: readonly string[];
  readonly keepalived: readonly KeepalivedFile[];
  readonly kubelet: { readonly cgroupDriver: string | undefined; readonly failSwapOn: boolean | undefined };
  /** `SystemdCgroup` of containerd's runc, where its configuration says. */
  readonly systemdCgroup: boolean | undefined;
  readonly cniFiles: readonly string[];
  /** Connections to this node that its kernel refused lately: from whom, and to which port. */
  readonly refusedHere: readonly { readonly from: string; readonly port: number }[];
  /** Rules that drop or reject, and name a port of the control plane or the VRRP protocol. */
  readonly drops: readonly string[];
}

export interface LiveNode {
  readonly spec: SpecNode;
  readonly facts: NodeFacts | undefined;
  readonly look: NodeLook | undefined;
  /** Why there are no facts or no look. */
  readonly missing: readonly string[];
  /** It could not be reached at all. */
  readonly unreachable: boolean;
}

export interface Live {
  readonly spec: Spec;
  readonly facts: ClusterFacts;
  readonly nodes: readonly LiveNode[];
  readonly checks: readonly CheckResult[];
  readonly now: Date;
}

export interface Evidence {
  /** Absent when there are only files. */
  readonly live: Live | undefined;
  readonly logs: readonly LogEntry[];
}
