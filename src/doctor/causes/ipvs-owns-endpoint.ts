import type { Cause } from '../cause.ts';
import { each, endpointText, holdingEndpoint } from './help.ts';

export const ipvsOwnsEndpoint: Cause = {
  id: 'ipvs-owns-endpoint',
  title: "kube-proxy's IPVS has taken the endpoint's address",
  needs: ['facts'],
  why: '{endpoint} is on kube-ipvs0, so the node answers for it itself and never asks the balancer',
  explanation: `In IPVS mode kube-proxy binds every Service address, external and load-balancer addresses too, on kube-ipvs0. A Service
of type LoadBalancer (or externalIPs) with the endpoint's address thus makes each node its owner (k/k#66967): connections
go to the Service's pods, or nowhere.`,
  run: 'kubectl get services -A -o wide | grep -F {endpoint}    (give that Service another address, or kube-proxy excludeCIDRs)',
  produced: 'recorded',
  signs: [],
  judge: (live) =>
    each(live.nodes, 'certain', (node) =>
      holdingEndpoint(node, live).some(({ name }) => name === 'kube-ipvs0')
        ? `kube-ipvs0 has the address of ${endpointText(live)}`
        : undefined,
    ),
};
