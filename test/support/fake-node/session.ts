import { join } from 'node:path';
import type { ClusterSession } from '../../../src/apply/flow/session.ts';
import { parseClusterText } from '../../../src/cluster-file.ts';
import { noProgram } from '../no-program.ts';
import { fakeNodes } from './fake-node.ts';

export const fakeNames = ['m1', 'm2', 'm3', 'w1'] as const;

const clusterYaml = `
apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: fake }
spec:
  kubernetes: { version: v1.37.2, podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12, cni: { kind: bridge } }
  endpoint: { domain: cluster.k8sapiserver, addresses: [172.16.105.26], port: 6443 }
  balancer: { backendPort: 6443, hairpin: drop }
  strategy: hosts
  nodes:
    - { name: m1, role: control-plane, address: 172.16.104.54 }
    - { name: m2, role: control-plane, address: 172.16.104.55 }
    - { name: m3, role: control-plane, address: 172.16.104.56 }
    - { name: w1, role: worker, address: 172.16.104.57 }
`;

/** A session on a fake cluster: the article's machines, the \`hosts\` strategy, which needs nothing but files. */
export function fakeSession(root: string): ClusterSession {
  const result = parseClusterText(clusterYaml, join(root, 'cluster.yaml'));
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return {
    file: join(root, 'cluster.yaml'),
    directory: root,
    spec: result.spec,
    nodes: fakeNodes(root, fakeNames),
    program: noProgram,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
