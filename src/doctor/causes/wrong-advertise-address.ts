import type { Cause } from '../cause.ts';
import { each, holdingEndpoint, known, masters } from './help.ts';

export const wrongAdvertiseAddress: Cause = {
  id: 'wrong-advertise-address',
  title: "an apiserver advertises an address that is not its node's",
  needs: ['facts', 'logs'],
  why: 'the Service kubernetes.default, and whoever joins, is sent to that address instead of to {nodes}',
  explanation: `--advertise-address of an apiserver is what the Service kubernetes.default leads to, and what etcd and kubeadm of this
node use. It has to be an address of the node itself. The endpoint's address there (a favourite when it is bound locally)
makes pods dial the balancer from the masters, which hairpins; an address of another NIC makes them dial into nothing.`,
  run: "grep advertise-address /etc/kubernetes/manifests/kube-apiserver.yaml    (on {nodes}; then set localAPIEndpoint.advertiseAddress and the manifest to the node's address)",
  produced: 'scenario',
  signs: [
    {
      in: ['kubeadm'],
      match:
        /(?:couldn't use "[^"]*" as "apiserver-advertise-address"|cannot use "[^"]*" as the bind address for the API Server)/,
      confidence: 'certain',
      example: 'couldn\'t use "127.0.0.1" as "apiserver-advertise-address", must be ipv4 or ipv6 address',
      seenIn: 'kubeadm app/util/config/initconfiguration.go',
    },
  ],
  judge(live) {
    const endpoints = new Set(live.spec.endpoint.addresses.map(({ text }) => text));
    return each(masters(live), 'certain', (node) => {
      const pod = known(node.facts?.kubeadm)?.staticPods.find(({ name }) => name === 'kube-apiserver');
      const advertised = pod?.flags['advertise-address'];
      if (advertised === undefined || node.spec.addresses.some(({ text }) => text === advertised)) return undefined;
      if (endpoints.has(advertised) || holdingEndpoint(node, live).length > 0)
        return `--advertise-address=${advertised} is the endpoint's address`;
      return `--advertise-address=${advertised}; the node's address is ${node.spec.address.text}`;
    });
  },
};
