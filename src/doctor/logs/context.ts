import type { LogEntry } from '../evidence.ts';

/** Whom a dialled address is, as far as the logs or the spec tell. */
export interface LogContext {
  /** Hosts (addresses or names) that are the endpoint's; empty when nothing says. */
  readonly endpoints: ReadonlySet<string>;
  /** Addresses that are nodes'. */
  readonly nodes: ReadonlySet<string>;
}

export interface KnownHosts {
  readonly endpoints: readonly string[];
  readonly nodes: readonly string[];
}

/**
 * Learns from the lines themselves which addresses are nodes' and which is the endpoint: kubeadm names its own apiserver
 * when it waits for it, and etcd's certificate has the addresses of its node; everybody else joins through the endpoint.
 */
export function logContext(logs: readonly LogEntry[], known: KnownHosts = { endpoints: [], nodes: [] }): LogContext {
  const nodes = new Set(known.nodes);
  const endpoints = new Set(known.endpoints);
  for (const { text } of logs) {
    for (const pattern of nodeLines) {
      const found = pattern.exec(text);
      for (const address of (found?.[1] ?? '').split(/[ ,]+/)) if (address !== '') nodes.add(bare(address));
    }
  }
  for (const { text } of logs) {
    const joins = /kubeadm join (\S+):\d+ --token/.exec(text)?.[1];
    if (joins !== undefined) endpoints.add(bare(joins));
    const sans = /apiserver serving cert is signed for DNS names \[[^\]]*\] and IPs \[([^\]]*)\]/.exec(text)?.[1];
    // The first one is the Service's, then the node's own, then the endpoint's (kubeadm's order, any version).
    const [, own, ...rest] = sans?.split(' ') ?? [];
    if (own !== undefined) nodes.add(own);
    for (const address of rest) if (!nodes.has(address)) endpoints.add(address);
  }
  for (const address of nodes) endpoints.delete(address);
  return { endpoints, nodes };
}

const nodeLines = [
  /Checking kube-apiserver at https:\/\/(\[[^\]]+\]|[^:/\s]+):\d+\//,
  /etcd\/server serving cert is signed for DNS names \[[^\]]*\] and IPs \[([^\] ]+)/,
  /Successfully retrieved NodeIPs" NodeIPs=\["([^"]+)"/,
];

/** Whether `host` can be the endpoint: it is, or nothing is known and it is neither a node, nor loopback, nor a Service. */
export function isEndpoint(host: string, port: string, cx: LogContext): boolean {
  const name = bare(host);
  if (cx.endpoints.size > 0) return cx.endpoints.has(name);
  return !cx.nodes.has(name) && !/^(?:127\.|::1$|localhost$)/.test(name) && port !== '443' && !etcdPorts.has(port);
}

const etcdPorts: ReadonlySet<string> = new Set(['2379', '2380', '2381', '10248', '10249', '10250', '10257', '10259']);

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
