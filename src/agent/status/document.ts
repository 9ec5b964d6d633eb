import * as z from 'zod';

/** What `status.sock` says, one JSON document a connection. Times are milliseconds; `null`: not known or never. */
export const agentStatusSchema = z.object({
  program: z.string(),
  node: z.object({ name: z.string(), role: z.enum(['control-plane', 'worker']) }),
  uptimeMs: z.number(),
  config: z.object({
    path: z.string(),
    sha256: z.string(),
    /** Why the file as it is was refused; the one before stays in force. */
    problems: z.array(z.string()),
  }),
  endpoint: z.object({
    host: z.string(),
    port: z.number(),
    addresses: z.array(z.object({ address: z.string(), steered: z.boolean() })),
    dnsProblem: z.string().nullable(),
  }),
  decision: z.object({
    is: z.enum(['undecided', 'balancer', 'steered']),
    /** Names. */
    backends: z.array(z.string()),
    hold: z.boolean(),
  }),
  /** What the steerer has confirmed. */
  inForce: z.object({ backends: z.array(z.string()), hold: z.boolean(), holdWorks: z.boolean() }).nullable(),
  steerer: z.object({ up: z.boolean(), problem: z.string().nullable() }),
  /** The dead man's switch. */
  table: z.object({ renewing: z.boolean(), renewedMsAgo: z.number().nullable(), problem: z.string().nullable() }),
  backends: z.array(
    z.object({
      name: z.string(),
      addresses: z.array(z.string()),
      probed: z.string(),
      self: z.boolean(),
      from: z.enum(['config', 'cluster']),
      state: z.enum(['unknown', 'ready', 'unready', 'suspect', 'failed', 'draining']),
      /** Whatever its state is: one that is suspect or failed may be drained as well. */
      drained: z.boolean(),
      sinceMs: z.number(),
      /** Of the last change of state. */
      reason: z.string().nullable(),
      /** The last thing that went wrong, with its age. */
      trouble: z.object({ text: z.string(), msAgo: z.number() }).nullable(),
      rttMs: z.number().nullable(),
      rttVariationMs: z.number().nullable(),
      ready: z.boolean().nullable(),
      absentMs: z.number(),
    }),
  ),
  membership: z.object({ answeredMsAgo: z.number().nullable(), problem: z.string().nullable() }),
  lag: z.object({ lastMs: z.number(), worstOfMinuteMs: z.number() }),
  counters: z.object({
    transitions: z.number(),
    switches: z.number(),
    resets: z.number(),
    renewals: z.number(),
    repairs: z.number(),
    reloads: z.number(),
  }),
});

export type AgentStatus = z.output<typeof agentStatusSchema>;
