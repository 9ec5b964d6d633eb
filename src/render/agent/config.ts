import type { Spec, SpecNode } from '../../spec/spec.ts';
import { agentPaths, agentPorts } from './paths.ts';

export interface AgentConfigOptions {
  readonly spec: Spec;
  readonly node: SpecNode;
  readonly masters: readonly SpecNode[];
  /** The interface that has the node's primary address. */
  readonly device: string;
  /** Names of masters that get no new connections. */
  readonly draining: readonly string[];
}

/**
 * /etc/hairpin/agent.json of a node (`agentConfigSchema`). An endpoint that is a name gets its addresses from DNS, asked
 * by the agent itself again and again, unless the spec has them.
 */
export function renderAgentConfig({ spec, node, masters, device, draining }: AgentConfigOptions): string {
  const isMaster = node.role === 'control-plane';
  const nameAndAddresses = ({ name, addresses }: SpecNode) => ({ name, addresses: addresses.map((a) => a.text) });
  const config = {
    version: 1,
    node: { ...nameAndAddresses(node), role: node.role },
    endpoint: {
      host: spec.endpoint.host,
      addresses: spec.endpoint.addresses.map((a) => a.text),
      port: spec.endpoint.port,
    },
    apiServerPort: spec.apiServerPort,
    masters: masters.map(nameAndAddresses),
    ...(draining.length === 0 ? {} : { draining }),
    steer: true,
    device,
    uplinks: 'auto',
    // kubeadm's own first: it is there from the join on, and follows a change of the CA.
    ca: ['/etc/kubernetes/pki/ca.crt', agentPaths.ca],
    kubeconfig: '/etc/kubernetes/kubelet.conf',
    metrics: { port: agentPorts.metrics },
    ...(isMaster ? { mirror: { port: agentPorts.mirror } } : {}),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
