import * as z from 'zod';

/**
 * What the prober (no privileges) may ask of the steerer (CAP_NET_ADMIN), one JSON object a line over a Unix socket.
 * Answers come in order, one line each. The steerer trusts nothing here: every value is parsed again, backends must be
 * on the configured apiserver port, endpoints and backends must not be loopback, and an endpoint must not be an address
 * that a node would lose something by (the node's own, a master's); what it refuses it says in the answer.
 */
const addresses = z.array(z.string().max(45)).max(64);

export const steererRequest = z.discriminatedUnion('op', [
  /**
   * Makes the tables for these endpoint addresses when they are missing or differ (routes, uplinks, source rule), without
   * touching live flows. `epoch` rises when the tables were made anew, so that the prober decides again.
   */
  z.strictObject({ op: z.literal('ensure'), endpoints: addresses }),
  /**
   * A transition: where new connections go from now on (none: the balancer), and whether refusals are held. `away` are
   * backends that do not answer: connections that wait for one of them start over, those half open to others live on.
   * Without it (a prober of an earlier version) all that are half open start over.
   */
  z.strictObject({ op: z.literal('steer'), backends: addresses, hold: z.boolean(), away: addresses.optional() }),
  /** Destroys the flows of a dead backend, and only those: the node's sockets and, through the pods unit, its pods'. */
  z.strictObject({ op: z.literal('reset'), backend: z.string().max(45) }),
  /** The node's client certificate, read anew: it rotates. */
  z.strictObject({ op: z.literal('credentials') }),
  /** Waits, some 20 s at most, until connections to the endpoint are opened: which backends they go to. */
  z.strictObject({ op: z.literal('fresh') }),
  /** What is in force, read back from the kernel. */
  z.strictObject({ op: z.literal('status') }),
]);

export type SteererRequest = z.output<typeof steererRequest>;
