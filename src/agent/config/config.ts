import * as z from 'zod';
import { parseAddress } from '../../std/address.ts';

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
  /**
   * Names of masters under planned work: no new connections there, those that exist live on. An apiserver does not say
   * by itself that it is drained, so `hairpin node drain` tells every agent here, and the drained node by its drain file.
   */
  draining: z.array(z.string().min(1).max(253)).max(64).optional(),
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
