import type { Cause } from '../cause.ts';
import { endpointText, holdingEndpoint, listensOn, masters, membersOf, phaseOf } from './help.ts';

export const vipBeforeJoin: Cause = {
  id: 'vip-before-join',
  title: "the endpoint's address is bound on a master that has not joined",
  needs: ['facts', 'logs'],
  why: 'its join dials {endpoint}, which is itself, and nothing is served there yet',
  explanation: `Binding the balancer's address on each master is the article's second way, and its order matters: the first master
before init, the others *after* they have joined. A joining master has to fetch the cluster's certificates from somebody
else; with the address bound it asks itself, is refused, and waits until kubeadm gives up.`,
  run: 'hairpin up    (takes the address away, joins, and binds it then; by hand: ip addr del, kubeadm join, ip addr add)',
  logsAloneAreOld: true,
  produced: 'real',
  signs: [
    {
      in: ['kubeadm'],
      match:
        /couldn't validate the identity of the API Server: .*https:\/\/(\[[^\]]+\]|[^:/"\s]+):(\d+).*connect: connection refused/,
      when: (_entry, found) => /^[\d.]+$|^\[/.test(found[1] ?? ''),
      confidence: 'likely',
      example:
        'error: error execution phase preflight: couldn\'t validate the identity of the API Server: failed to request the cluster-info ConfigMap: Get "https://172.16.105.26:6443/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s": dial tcp 172.16.105.26:6443: connect: connection refused',
      seenIn: 'kubeadm join of v1.37.2 with the address bound (test/wire/doctor-kubeadm.test.ts)',
    },
  ],
  judge: (live) =>
    membersOf(live).length === 0
      ? []
      : masters(live).flatMap((node) => {
          const phase = phaseOf(node);
          const [held] = holdingEndpoint(node, live).filter(({ name }) => name !== 'kube-ipvs0');
          if (held === undefined || (phase !== 'nothing' && phase !== 'half-join' && phase !== 'half-init')) return [];
          if (listensOn(node, live.spec.endpoint.port) === true) return [];
          return [
            {
              node: node.spec.name,
              confidence: 'certain' as const,
              saw: `${endpointText(live)} is on ${held.name}, nothing listens there, and kubeadm has not joined this node`,
            },
          ];
        }),
};
