import type { Cause } from '../cause.ts';
import { each, known } from './help.ts';

export const nameDoesNotResolve: Cause = {
  id: 'name-does-not-resolve',
  title: "the endpoint's name does not resolve",
  needs: ['facts', 'logs'],
  why: 'nothing on {nodes} that dials {endpoint} by name gets further than the resolver',
  explanation: `A made-up name is in no DNS and has to be in /etc/hosts of every node; a private zone has to be attached to the nodes' network.`,
  run: 'getent hosts {endpoint}; cat /etc/resolv.conf    (on {nodes}; or spec.endpoint.addresses, then hairpin up)',
  logsAloneAreOld: true,
  produced: 'real',
  signs: [
    {
      in: ['kubeadm', 'kubelet', 'kube-proxy'],
      match:
        /dial tcp: lookup (\S+?)(?: on \S+)?: (?:no such host|server misbehaving|i\/o timeout|read udp .*(?:i\/o timeout|connection refused))/,
      when: (entry, found, cx) =>
        cx.endpoints.has(found[1] ?? '') || /:\d+\/(?:api|version|livez|readyz)|cluster-info/.test(entry.text),
      unless: /Successfully registered node|Caches are synced/,
      confidence: 'certain',
      example:
        'error: error execution phase preflight: couldn\'t validate the identity of the API Server: failed to request the cluster-info ConfigMap: Get "https://api.prod.example:6443/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s": dial tcp: lookup api.prod.example on 10.0.0.2:53: no such host',
      seenIn: 'any Go client (net.DNSError)',
    },
  ],
  judge: (live) =>
    each(live.nodes, 'certain', (node) => {
      const empty = (known(node.facts?.endpointLookup) ?? []).find(({ addresses }) => addresses.length === 0);
      return empty === undefined ? undefined : `${empty.name} resolves to nothing`;
    }),
};
