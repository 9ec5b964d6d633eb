import type { Phase } from '../context.ts';
import { estimates } from '../estimates.ts';
import { slugs } from '../ids.ts';

/**
 * Installs the pod network. Again when the cluster exists and its leader is not Ready: a run that was killed between init
 * and this leaves exactly that, and applying a manifest twice changes nothing.
 */
export const network: Phase = {
  name: 'network',
  summary: 'install the pod network',
  plan({ spec, cluster, steps }) {
    const { cni } = spec.kubernetes;
    if (cni.kind !== 'manifest') return;
    const leader = cluster.leader.name;
    const fresh = steps.isPlanned(leader, slugs.init);
    if (!fresh && (cluster.ready === undefined || cluster.ready.has(leader))) return;
    steps.add(leader, 'network', {
      kind: 'apply-manifest',
      slug: slugs.manifest,
      path: cni.path,
      because: fresh ? 'nodes are not Ready without it' : `${leader} is not Ready; the pod network may be missing`,
      estimateMs: estimates.manifest,
      undo: { is: 'nothing', because: 'it goes with the cluster' },
    });
  },
};
