import { parseAddress } from '../../std/address.ts';
import type { NodeRole } from '../spec.ts';

export interface AdoptedNode {
  readonly name: string;
  readonly role: NodeRole;
  /** As text, at most one a family, the kubelet's first one first. */
  readonly addresses: readonly string[];
  readonly kubelet: string;
  readonly ready: boolean;
}

interface ApiNode {
  readonly metadata?: {
    readonly name?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly addresses?: readonly { readonly type?: string; readonly address?: string }[];
    readonly nodeInfo?: { readonly kubeletVersion?: string };
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  };
}

/** Reads `kubectl get nodes -o json`: masters first, each kind in the order in which it joined. */
export function adoptedNodes(json: string): readonly AdoptedNode[] {
  const { items = [] } = JSON.parse(json) as { items?: readonly ApiNode[] };
  const byAge = items.toSorted((a, b) =>
    (a.metadata?.creationTimestamp ?? '').localeCompare(b.metadata?.creationTimestamp ?? ''),
  );
  const nodes = byAge.map(toNode);
  return [...nodes.filter((n) => n.role === 'control-plane'), ...nodes.filter((n) => n.role === 'worker')];
}

function toNode({ metadata, status }: ApiNode): AdoptedNode {
  const labels = metadata?.labels ?? {};
  // `master` was the label until v1.20, and both were there until v1.23.
  const isMaster = 'node-role.kubernetes.io/control-plane' in labels || 'node-role.kubernetes.io/master' in labels;
  const internal = (status?.addresses ?? [])
    .filter((a) => a.type === 'InternalIP')
    .map((a) => parseAddress(a.address ?? ''));
  const perFamily = new Map(
    internal
      .filter((a) => a !== undefined)
      .toReversed()
      .map((a) => [a.family, a.text]),
  );
  const primary = internal.find((a) => a !== undefined)?.family;
  return {
    name: metadata?.name ?? '',
    role: isMaster ? 'control-plane' : 'worker',
    addresses: [...perFamily]
      .toSorted(([a], [b]) => Number(b === primary) - Number(a === primary))
      .map(([, text]) => text),
    kubelet: status?.nodeInfo?.kubeletVersion ?? '',
    ready: status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true,
  };
}
