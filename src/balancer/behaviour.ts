import type { Address } from '../std/address.ts';

/**
 * What a balancer does with a backend that dials it (design.md, "hairpin behaviour"), plus `proxy`, which the lab can
 * build and which `probe` reports as `works`.
 */
export const behaviours = ['works', 'drop', 'local', 'one-arm', 'proxy'] as const;
export type Behaviour = (typeof behaviours)[number];

/** What users may write in `balancer.hairpin` of cluster.yaml. */
export type HairpinBehaviour = 'works' | 'drop' | 'local' | 'one-arm';

export type Scheduling = 'round-robin' | 'source-hash';

/** Milliseconds everywhere. `port` absent means the backend port. `path` is for http and https. */
export interface HealthCheck {
  readonly protocol: 'tcp' | 'http' | 'https';
  readonly port?: number;
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Successes in a row before a backend is used again. */
  readonly rise: number;
  /** Failures in a row before a backend is ejected. */
  readonly fall: number;
}

/** What happens to established flows of a backend that the health check ejected. */
export type EjectedFlows = 'keep' | 'reset' | 'drain';

/** What happens to new connections when no backend is healthy. */
export type AllDown = 'refuse' | 'all';

/** A whole balancer, as the lab builds one and as a product's documentation describes one. */
export interface BalancerConfig {
  readonly behaviour: Behaviour;
  /** `proxy` only: the balancer ends TLS itself, so client certificates cannot pass. */
  readonly terminateTls: boolean;
  readonly scheduling: Scheduling;
  readonly healthCheck: HealthCheck;
  /**
   * The network that the behaviour is built on in the lab. Absent: `segment` for `one-arm`, `routed` for all others.
   * `local` exists on both: a cloud's fabric (GCP) and a director on the servers' segment (LVS-DR).
   */
  readonly network?: 'routed' | 'segment';
  /**
   * Where health checks come from: an address of the product's own, the VIP itself (old Tencent accounts), or the
   * balancer's own address. Backends of the other family are probed from the balancer's own address.
   */
  readonly probeSource: Address | 'vip' | 'balancer';
  readonly ejectedFlows: EjectedFlows;
  /** For `drain`: how long flows of an ejected backend live on. */
  readonly drainMs: number;
  readonly allDown: AllDown;
  /** After how long without a packet an established flow is forgotten; absent means 15 minutes. */
  readonly idleMs?: number;
}
