import type { Cause } from '../cause.ts';
import { known, masters, membersOf, phaseOf } from './help.ts';

export const nameSelfBeforeJoin: Cause = {
  id: 'name-self-before-join',
  title: "the endpoint's name means this master itself, and it has not joined",
  needs: ['facts', 'logs'],
  why: 'its join dials {endpoint}, /etc/hosts leads that to the node itself, and nothing is served there yet',
  explanation: `With a name as endpoint, masters may have it in /etc/hosts as themselves, and again the order matters: the first
master before init, the others after they have joined. Before that the name has to mean the balancer (or the first
master), or the join asks the very node that is joining.`,
  run: 'hairpin up    (writes /etc/hosts for each phase; by hand: take the line out, kubeadm join, put it back)',
  logsAloneAreOld: true,
  produced: 'real',
  signs: [
    {
      in: ['kubeadm'],
      match:
        /https:\/\/([a-z][\w-]*(?:\.[\w-]+)+):\d+.*dial tcp (?:127\.\d+\.\d+\.\d+|\[::1\]):\d+: connect: connection refused/,
      confidence: 'certain',
      example:
        'error: error execution phase preflight: couldn\'t validate the identity of the API Server: failed to request the cluster-info ConfigMap: Get "https://api.prod.example:6443/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused',
      seenIn: 'kubeadm join of v1.37.2 with the name as 127.0.0.1 (test/wire/doctor-kubeadm.test.ts)',
    },
  ],
  judge(live) {
    if (live.spec.endpoint.kind !== 'domain' || membersOf(live).length === 0) return [];
    const { domain } = live.spec.endpoint;
    return masters(live).flatMap((node) => {
      const phase = phaseOf(node);
      if (phase !== 'nothing' && phase !== 'half-join' && phase !== 'half-init') return [];
      const own = new Set(node.spec.addresses.map(({ text }) => text));
      const entry = known(node.facts?.hosts)?.entries.find(
        ({ names, address }) => names.includes(domain) && (own.has(address) || /^127\.|^::1$/.test(address)),
      );
      if (entry === undefined) return [];
      return [
        {
          node: node.spec.name,
          confidence: 'certain' as const,
          saw: `/etc/hosts:${entry.line} says ${entry.address} ${domain}, and kubeadm has not joined this node`,
        },
      ];
    });
  },
};
