/**
 * Access to Kubernetes and etcd of a running cluster, through the tools that masters have anyway. Nothing here depends on
 * the endpoint: a master asks its own apiserver and its own etcd, so these work while the endpoint does not.
 */

import type { Spec, SpecNode } from '../spec/spec.ts';
import { formatHostPort } from '../std/address.ts';

// No cache of what the server can do: nothing of ours stays in /root/.kube.
const options = ['--cache-dir=/dev/null', '--request-timeout=10s'];

export const adminConf = '/etc/kubernetes/admin.conf';

/** `kubectl` on a master, with admin.conf but to the master's own apiserver. */
export function kubectlArgv(spec: Spec, master: SpecNode, args: readonly string[]): readonly string[] {
  const server = `https://${formatHostPort(master.address, spec.apiServerPort)}`;
  return ['kubectl', '--kubeconfig', adminConf, '--server', server, ...options, ...args];
}
