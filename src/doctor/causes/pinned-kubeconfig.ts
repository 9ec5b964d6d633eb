import type { Cause } from '../cause.ts';
import { dialsAt, each, known } from './help.ts';

export const pinnedKubeconfig: Cause = {
  id: 'pinned-kubeconfig',
  title: 'a kubeconfig is pinned to a master that is dead',
  needs: ['facts', 'dials', 'logs'],
  why: 'whoever uses it on {nodes} dials one machine, and that one does not answer; the endpoint would',
  explanation: `A kubeconfig that names a master instead of the endpoint (edited by hand, or made before there was a balancer) works until
that master is down (kubeasz#724, #1525). kubelet.conf of a master that names *itself* is kubeadm's own doing since 1.33
and is not meant here.`,
  run: 'kubectl --server https://{endpoint} get nodes; sed -i "s,server: .*,server: https://{endpoint}," /etc/kubernetes/admin.conf    (on {nodes})',
  produced: 'scenario',
  signs: [],
  judge(live) {
    const owner = new Map(
      live.nodes.flatMap(({ spec }) => spec.addresses.map(({ text }) => [text, spec.name] as const)),
    );
    return each(live.nodes, 'certain', (node) => {
      for (const { path, server } of known(node.facts?.kubeconfigs) ?? []) {
        const host = /^https:\/\/(\[[^\]]+\]|[^:/]+)/.exec(server ?? '')?.[1]?.replace(/^\[|\]$/g, '');
        const master = host === undefined ? undefined : owner.get(host);
        if (master === undefined || master === node.spec.name) continue;
        const dials = dialsAt(live, master);
        if (dials.length > 0 && dials.every((one) => one.dials.answered === 0)) {
          return `${path} dials ${server}, which is ${master}, and ${master} answers nobody`;
        }
      }
      return undefined;
    });
  },
};
