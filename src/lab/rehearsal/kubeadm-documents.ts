import { stringify } from 'yaml';
import { type Address, formatCidr, formatHostPort } from '../../std/address.ts';
import type { LabMachine, LabSpec } from '../spec/lab-spec.ts';

/**
 * Preflight checks that no lab node passes, found by running them all: cgroup v1 is one that v1.35 and later call fatal,
 * swap is the host's. Everything else has to pass, as on a real machine.
 */
export const ignoredPreflight = ['SystemVerification', 'Swap'] as const;

/** What a person writes for `kubeadm init --config`, with nothing in it that is about hairpinning. Pure. */
export function initDocuments(spec: LabSpec, leader: LabMachine): string {
  const [first] = leader.addresses;
  if (first === undefined) throw new RangeError(`${leader.name} has no address`);
  const apiVersion = 'kubeadm.k8s.io/v1beta4';
  const documents = [
    {
      apiVersion,
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: first.text, bindPort: spec.apiServerPort },
      nodeRegistration: { name: leader.name, ...nodeIps(leader) },
    },
    {
      apiVersion,
      kind: 'ClusterConfiguration',
      kubernetesVersion: spec.kubernetes,
      controlPlaneEndpoint: endpointOf(spec),
      networking: {
        podSubnet: spec.podSubnets.map(formatCidr).join(','),
        serviceSubnet: spec.serviceSubnets.map(formatCidr).join(','),
      },
    },
    kubeProxyInLab,
  ];
  return documents.map((document) => stringify(document)).join('---\n');
}

/** `net.netfilter.nf_conntrack_max` belongs to the host; asked for it, kube-proxy would end. */
export const kubeProxyInLab = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  conntrack: { maxPerCore: 0, min: 0 },
} as const;

/** `172.16.105.26:6443`, or the name that clients dial. */
export function endpointOf(spec: LabSpec): string {
  const { domain, addresses, port } = spec.endpoint;
  return formatHostPort(domain ?? (addresses[0] as Address), port);
}

function nodeIps(machine: LabMachine): { kubeletExtraArgs?: readonly { name: string; value: string }[] } {
  if (machine.addresses.length < 2) return {};
  return { kubeletExtraArgs: [{ name: 'node-ip', value: machine.addresses.map((a) => a.text).join(',') }] };
}
