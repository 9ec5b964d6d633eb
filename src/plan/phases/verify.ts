import { hasAddon } from '../addons.ts';
import type { Phase } from '../context.ts';
import { estimates } from '../estimates.ts';
import { slugs } from '../ids.ts';

/** Waits until what was changed works. Nothing to wait for where nothing changes. */
export const verify: Phase = {
  name: 'verify',
  summary: 'wait until nodes, kube-proxy and CoreDNS are well',
  plan({ spec, cluster, steps }) {
    if (steps.steps.length === 0) return;
    const leader = cluster.leader.name;
    const changed = cluster.places.map(({ node }) => node.name).filter((name) => steps.lastOf(name).length > 0);
    const joined = [...new Set(changed)].filter(
      (name) => steps.isPlanned(name, slugs.join) || steps.isPlanned(name, slugs.init),
    );
    // Without a pod network nodes stay NotReady, and everything that waits for them would wait for ever.
    const hasNetwork = spec.kubernetes.cni.kind !== 'none';
    if (hasNetwork && joined.length > 0) {
      steps.add(leader, 'verify', {
        kind: 'hold',
        slug: 'hold-nodes-ready',
        check: { is: 'nodes-ready', nodes: joined },
        deadlineMs: 180_000,
        because: 'a cluster is up when its nodes are Ready',
        alsoNeeds: joined.flatMap((name) => steps.lastOf(name)),
        estimateMs: estimates.holdReady,
      });
    }
    const ready = hasNetwork && joined.length > 0 ? steps.lastOf(leader) : [];
    if (hasAddon(spec, 'kube-proxy')) {
      for (const name of changed.filter((n) => n !== leader)) addProxyHold(name);
      if (changed.includes(leader)) addProxyHold(leader);
    }
    if (hasNetwork && joined.length > 0 && hasAddon(spec, 'coredns')) {
      steps.add(leader, 'verify', {
        kind: 'hold',
        slug: 'hold-coredns-ready',
        check: { is: 'coredns-ready' },
        deadlineMs: 180_000,
        because: 'pods find services by name',
        estimateMs: estimates.holdReady,
      });
    }

    function addProxyHold(name: string): void {
      steps.add(name, 'verify', {
        kind: 'hold',
        slug: 'hold-kube-proxy-synced',
        check: { is: 'kube-proxy-synced' },
        deadlineMs: 120_000,
        because: 'kube-proxy dials the endpoint; without it this node has no services',
        alsoNeeds: ready,
        estimateMs: estimates.hold,
      });
    }
  },
};
