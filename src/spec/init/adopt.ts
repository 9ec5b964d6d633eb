import { parse } from 'yaml';
import { parseAddress } from '../../std/address.ts';
import { parseVersion } from '../../std/version.ts';
import { isDnsName } from '../fields.ts';
import { field } from '../rules/kubeadm-arguments.ts';
import { count, list } from '../rules/words.ts';
import type { ClusterFile } from '../schema.ts';
import { apiVersion } from '../spec.ts';
import { type AdoptedNode, adoptedNodes } from './adopted-nodes.ts';
import type { ClusterEvidence } from './evidence.ts';
import { foundStrategy } from './found-strategy.ts';
import type { Remark } from './print.ts';

export interface Adopted {
  readonly file: ClusterFile;
  /** What was found, at the fields that it is about; printed into the file as comments. */
  readonly remarks: readonly Remark[];
}

/** kubeadm's own, old and new: not worth a line. */
const defaultRepositories = new Set(['registry.k8s.io', 'k8s.gcr.io']);

/**
 * A kubeadm cluster that exists → the spec that describes it as it is, with its hacks recognised as the strategy that
 * they amount to. Pure: `collectEvidence` looks, this judges.
 */
export function adopt(evidence: ClusterEvidence, ssh?: ClusterFile['spec']['ssh']): Adopted {
  const config: unknown = parse(evidence.clusterConfiguration);
  const nodes = adoptedNodes(evidence.nodes);
  const masters = nodes.filter((node) => node.role === 'control-plane');
  const remarks: Remark[] = [];
  const version = parseVersion(text(field(config, 'kubernetesVersion')) ?? '')?.text ?? nodes[0]?.kubelet ?? '';
  remarks.push(...skewed(nodes, version), ...notReady(nodes));

  const endpoint = endpointOf(config, masters, evidence.apiServerPort);
  remarks.push(...endpoint.remarks);
  const found = foundStrategy(evidence, endpoint, masters);
  remarks.push(...found.remarks);
  const networking = field(config, 'networking');
  const repository = text(field(config, 'imageRepository'));
  const dnsDomain = text(field(networking, 'dnsDomain'));
  const noBalancer = typeof found.strategy === 'object' && 'keepalived-vip' in found.strategy;

  const file: ClusterFile = {
    apiVersion,
    kind: 'Cluster',
    metadata: { name: clusterName(config) },
    spec: {
      kubernetes: {
        version,
        ...(repository === undefined || defaultRepositories.has(repository) ? {} : { imageRepository: repository }),
        ...optional('podSubnet', text(field(networking, 'podSubnet'))),
        ...optional('serviceSubnet', text(field(networking, 'serviceSubnet'))),
        ...(dnsDomain === undefined || dnsDomain === 'cluster.local' ? {} : { dnsDomain }),
      },
      endpoint:
        endpoint.address === undefined
          ? {
              domain: endpoint.host,
              ...(found.addresses.length === 0 ? {} : { addresses: found.addresses.map((a) => a.text) }),
              port: endpoint.port,
            }
          : { address: endpoint.host, port: endpoint.port },
      ...(noBalancer ? {} : { balancer: { hairpin: 'auto' } }),
      strategy: found.strategy,
      ...(evidence.apiServerPort === 6443 ? {} : { apiServerPort: evidence.apiServerPort }),
      nodes: nodes.map((node) => ({
        name: node.name,
        role: node.role,
        address: node.addresses.length === 1 ? (node.addresses[0] ?? '') : [...node.addresses],
      })),
      ...(ssh === undefined ? {} : { ssh }),
      prepare: 'preinstalled',
    },
  };
  return { file, remarks };
}

function endpointOf(config: unknown, masters: readonly AdoptedNode[], apiServerPort: number) {
  const written = text(field(config, 'controlPlaneEndpoint')) ?? '';
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(written);
  const host = match?.[1] ?? match?.[2] ?? (parseAddress(written) === undefined ? '' : written);
  if (host !== '') {
    const address = parseAddress(host);
    const port = match?.[3] === undefined ? apiServerPort : Number(match[3]);
    return { host: address?.text ?? host, port, address, remarks: [] };
  }
  // kubeadm refuses to join masters then; with one master the cluster works, through that master's own address.
  const own = masters[0]?.addresses[0] ?? '';
  const remark: Remark = {
    at: ['spec', 'endpoint'],
    text: "Found: the cluster was made without a controlPlaneEndpoint. This is its first master's own address.\nPut the balancer's here; existing kubeconfigs and certificates still name the master.",
  };
  return { host: own, port: apiServerPort, address: parseAddress(own), remarks: [remark] };
}

function skewed(nodes: readonly AdoptedNode[], version: string): Remark[] {
  const others = nodes.filter((node) => node.kubelet !== version);
  if (others.length === 0) return [];
  const which = list(others.map((node) => `${node.name} (${node.kubelet})`));
  return [
    {
      at: ['spec', 'kubernetes'],
      text: `Found: kubeadm-config says ${version}, and the kubelets of ${which} are of another version.`,
    },
  ];
}

function notReady(nodes: readonly AdoptedNode[]): Remark[] {
  const lost = nodes.filter((node) => !node.ready).map((node) => node.name);
  if (lost.length === 0) return [];
  return [{ at: ['spec', 'nodes'], text: `Found: ${count(lost.length, 'node')} not Ready: ${list(lost)}.` }];
}

/** kubeadm calls every cluster `kubernetes` unless told otherwise. */
function clusterName(config: unknown): string {
  const name = text(field(config, 'clusterName')) ?? 'kubernetes';
  return isDnsName(name) && !name.includes('.') ? name : 'kubernetes';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}
