import { stringify } from 'yaml';
import { formatCidr } from '../../std/address.ts';
import { ignoredPreflight, kubeProxyInLab } from '../rehearsal/kubeadm-documents.ts';
import type { LabSpec } from './lab-spec.ts';

/** The spec of design.md for a lab, as `lab up` writes it: what a user would write for the same machines. Pure. */
export function clusterYaml(spec: LabSpec, opts: { sshConfig: string | undefined }): string {
  const { endpoint, balancer } = spec;
  const { healthCheck } = balancer;
  const addresses = endpoint.addresses.map((a) => a.text);
  const one = (texts: readonly string[]) => ({ address: texts.length === 1 ? texts[0] : texts });
  const document = {
    apiVersion: 'hairpin/v1alpha1',
    kind: 'Cluster',
    metadata: { name: spec.name },
    spec: {
      kubernetes: {
        version: spec.kubernetes,
        podSubnet: spec.podSubnets.map(formatCidr).join(','),
        serviceSubnet: spec.serviceSubnets.map(formatCidr).join(','),
        cni: { kind: 'bridge' },
      },
      endpoint: {
        // kubeadm's controlPlaneEndpoint is one address, so a dual-stack cluster without a name dials the IPv4 one.
        ...(endpoint.domain === undefined ? { address: addresses[0] } : { domain: endpoint.domain, addresses }),
        port: endpoint.port,
      },
      balancer: {
        backendPort: spec.backendPort,
        hairpin: 'auto',
        healthCheck: {
          protocol: healthCheck.protocol,
          interval: duration(healthCheck.intervalMs),
          timeout: duration(healthCheck.timeoutMs),
          rise: healthCheck.rise,
          fall: healthCheck.fall,
        },
      },
      // Only something between the balancer and the apiserver explains ports that differ.
      strategy: spec.backendPort === spec.apiServerPort ? 'auto' : 'keepalived-haproxy',
      apiServerPort: spec.apiServerPort,
      nodes: spec.machines
        .filter((machine) => machine.role !== 'client')
        .map((machine) => ({
          name: machine.name,
          role: machine.role,
          ...one(machine.addresses.map((a) => a.text)),
        })),
      ...(opts.sshConfig === undefined ? {} : { ssh: { user: 'root', port: 22, configFile: opts.sshConfig } }),
      prepare: spec.bare === true ? { bundle: 'bundle.tar.gz' } : 'preinstalled',
      ...(spec.tier === 'node' ? { kubeadm: { documents: kubeadmInLab } } : {}),
    },
  };
  return stringify(document, { lineWidth: 0, flowCollectionPadding: true });
}

/** What kubeadm has to be told because nodes of the lab share a kernel: nothing in it is about hairpinning. */
const nodeRegistration = { ignorePreflightErrors: ignoredPreflight };
const kubeadmInLab = [
  { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'InitConfiguration', nodeRegistration },
  { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'JoinConfiguration', nodeRegistration },
  kubeProxyInLab,
];

function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
