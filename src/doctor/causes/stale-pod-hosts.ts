import { atLeast } from '../../std/version.ts';
import type { Cause } from '../cause.ts';

export const stalePodHosts: Cause = {
  id: 'stale-pod-hosts',
  title: "pods that use the node's network still read an old /etc/hosts",
  needs: ['facts', 'look'],
  why: "the kubelet copies /etc/hosts into such a pod when it starts, and the endpoint's name has changed since",
  explanation: `A pod with hostNetwork (kube-proxy, a CNI's agent) does not read the node's /etc/hosts but a copy that the kubelet made
when the pod started (k/k#85501, #91117). After the endpoint's name was given another address on the node, such a pod goes
on dialling the old one until it is started anew. Static pods are the same; up to Kubernetes 1.18 the controller manager
and the scheduler dial the endpoint too.`,
  run: 'kubectl -n kube-system rollout restart daemonset kube-proxy    (or hairpin up, which restarts what is stale)',
  produced: 'scenario',
  signs: [],
  judge: (live) =>
    live.nodes.flatMap(({ spec, look }) => {
      if (look === undefined || live.spec.endpoint.kind !== 'domain') return [];
      const wanted = [...look.ownHosts].toSorted().join(', ');
      const dialling = look.podHosts.filter((pod) => !pod.static || !atLeast(live.spec.kubernetes.version, 1, 19));
      const stale = dialling.filter((pod) => [...pod.addresses].toSorted().join(', ') !== wanted);
      const [first] = stale;
      if (first === undefined) return [];
      const has = (addresses: string) => (addresses === '' ? 'no address' : addresses);
      return [
        {
          node: spec.name,
          confidence: 'certain' as const,
          saw: `${stale.map(({ pod }) => pod).join(', ')}: ${live.spec.endpoint.host} has ${has(first.addresses.join(', '))} there, and ${has(wanted)} in /etc/hosts`,
        },
      ];
    }),
};
