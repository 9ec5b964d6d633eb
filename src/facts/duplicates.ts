import type { Duplicate, NodeReport } from './types.ts';

/**
 * Values that must differ between nodes and do not. Machines cloned from one image share their machine id, and kubeadm
 * clusters made of them lose nodes or leases in ways that are hard to see.
 */
export function findDuplicates(nodes: readonly NodeReport[]): Duplicate[] {
  const holders = new Map<string, { what: Duplicate['what']; value: string; nodes: string[] }>();
  const add = (what: Duplicate['what'], value: string | undefined, node: string) => {
    if (value === undefined || value === '') return;
    const key = `${what} ${value}`;
    const holder = holders.get(key) ?? { what, value, nodes: [] };
    if (!holder.nodes.includes(node)) holder.nodes.push(node);
    holders.set(key, holder);
  };
  for (const report of nodes) {
    if (report.is !== 'seen') continue;
    const { identity, os, interfaces } = report.facts;
    if (identity.is === 'known') {
      add('machine-id', identity.value.machineId, report.node);
      add('product-uuid', identity.value.productUuid, report.node);
    }
    if (os.is === 'known') add('hostname', os.value.hostname, report.node);
    if (interfaces.is === 'known') {
      for (const found of interfaces.value) {
        // Bridges of container runtimes have the same address everywhere (docker0), and a VIP is meant to.
        if (found.loopback || found.kind === 'bridge') continue;
        for (const { address, scope, prefix } of found.addresses) {
          if (scope === 'global' && prefix < (address.family === 4 ? 32 : 128))
            add('address', address.text, report.node);
        }
      }
    }
  }
  return [...holders.values()].filter((holder) => holder.nodes.length > 1);
}
