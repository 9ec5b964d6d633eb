import { z } from 'zod';
import { parseAddress } from '../../std/address.ts';

/** Where things of the agent are on a node. One place, because units, `up`, tests and the agent itself must agree. */
export const agentPaths = {
  /** The executable that units start: a link to the version in force. */
  program: '/usr/local/bin/hairpin',
  /** One directory a version, named by the first 16 hex digits of the executable's SHA-256. */
  versions: '/usr/local/lib/hairpin',
  config: '/etc/hairpin/agent.json',
  /** Delivered by `up` before the first init, when /etc/kubernetes/pki/ca.crt does not exist yet. */
  ca: '/etc/hairpin/ca.crt',
  /** `StateDirectory=`, owned by the prober: membership.json. */
  state: '/var/lib/hairpin-agent',
  /** `RuntimeDirectory=` of the prober: status.sock. */
  runtime: '/run/hairpin-agent',
  statusSocket: '/run/hairpin-agent/status.sock',
  /** Where the prober asks the steerer; made by the steerer, group `hairpin`. */
  steererSocket: '/run/hairpin-steerer/steerer.sock',
  /** Where the steerer asks for resets inside pods' namespaces; a unit of its own, started on demand. */
  podsSocket: '/run/hairpin-pods/pods.sock',
  /** Present while this node is drained: the prober and the mirror of this node read it; survives a reboot. */
  drainFile: '/etc/hairpin/drain',
} as const;

/** Names of units, in the order in which they start. */
export const agentUnits = {
  steerer: 'hairpin-steerer.service',
  agent: 'hairpin-agent.service',
  mirror: 'hairpin-mirror.service',
  podsSocket: 'hairpin-pods.socket',
  pods: 'hairpin-pods.service',
} as const;

/** The system user of the prober; its uid is what the renewing rule matches. */
export const agentUser = 'hairpin';

const addressText = z.string().refine((text) => parseAddress(text)?.text === text, 'an IP address in canonical form');
const port = z.int().min(1).max(65_535);
const node = z.strictObject({ name: z.string().min(1).max(253), addresses: z.array(addressText).min(1).max(8) });

/**
 * /etc/hairpin/agent.json: what differs between nodes and clusters; everything else is in the code. Written by
 * `hairpin up` and `hairpin agent install`, read again at SIGHUP.
 */
export const agentConfigSchema = z.strictObject({
  version: z.literal(1),
  node: node.extend({ role: z.enum(['control-plane', 'worker']) }),
  endpoint: z.strictObject({
    /** What clients dial and certificates name: an address or a domain name. */
    host: z.string().min(1).max(253),
    /** Fixed addresses (an endpoint that is an address, or a made-up name); empty: `host` is resolved by DNS. */
    addresses: z.array(addressText).max(16),
    port,
  }),
  apiServerPort: port,
  /** The masters as the spec has them: who is probed until the cluster itself says who its apiservers are. */
  masters: z.array(node).max(64),
  /** False on workers unless `steer: { workers: true }`: such an agent probes nobody and steers nothing. */
  steer: z.boolean(),
  /** For the route to the endpoint where there is none. */
  device: z.string().regex(/^[\w.@-]{1,15}$/),
  /** Interfaces by which the balancer's packets come in; `auto`: those with a route to a master or a default route. */
  uplinks: z.union([z.literal('auto'), z.array(z.string().regex(/^[\w.@-]{1,15}$/)).max(64)]),
  /** The first that can be read is used, at each dial. */
  ca: z.array(z.string().startsWith('/')).min(1),
  /** A kubeconfig with the node's own client certificate; absent or unreadable: anonymous. Read by the steerer. */
  kubeconfig: z.string().startsWith('/').optional(),
  /** `HOST:PORT` of DNS servers; absent: /etc/resolv.conf. */
  dns: z.array(z.string()).max(8).optional(),
  /** Prometheus metrics, on loopback only. */
  metrics: z.strictObject({ port }).optional(),
  /** The readiness mirror for balancers that cannot check HTTPS; masters only. */
  mirror: z.strictObject({ port }).optional(),
});

export type AgentConfig = z.output<typeof agentConfigSchema>;
