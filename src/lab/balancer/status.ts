import type { AllDown, Behaviour, EjectedFlows, HealthCheck, Scheduling } from '../../balancer/behaviour.ts';
import type { BackendState } from './rotation.ts';

/** What the balancer says about itself: the answer of `status` on its control socket, and of `lab balancer status`. */
export interface BalancerStatus {
  readonly behaviour: Behaviour;
  readonly network: 'routed' | 'segment';
  readonly endpoint: { readonly addresses: readonly string[]; readonly port: number };
  readonly scheduling: Scheduling;
  readonly healthCheck: HealthCheck;
  readonly probeSources: readonly string[];
  readonly ejectedFlows: EjectedFlows;
  readonly drainMs: number;
  readonly allDown: AllDown;
  readonly power: 'on' | 'off';
  readonly checks: 'running' | 'paused';
  /** Nobody is healthy, and new connections go to everybody. */
  readonly failOpen: boolean;
  readonly backends: readonly BackendStatus[];
  /** The last changes of health or rotation, oldest first. */
  readonly history: readonly Transition[];
}

export interface BackendStatus extends BackendState {
  readonly addresses: readonly string[];
  readonly port: number;
  /** Gets new connections. */
  readonly inRotation: boolean;
  /** When `health` became what it is; milliseconds since the epoch, as are all times here. */
  readonly since: number;
  readonly lastCheck:
    | { readonly at: number; readonly passed: boolean; readonly ms: number; readonly problem: string | undefined }
    | undefined;
  /** New connections that were sent to it since the balancer was made. */
  readonly connections: number;
  /** Connections that are open. */
  readonly flows: number;
}

export interface Transition {
  readonly at: number;
  readonly backend: string;
  readonly to: 'in' | 'out';
  readonly why: string;
}

/** Requests on the balancer's control socket. */
export type BalancerRequest =
  /** Answered as soon as the balancer balances. */
  | { readonly op: 'ping' }
  | { readonly op: 'status' }
  | {
      readonly op: 'backend';
      readonly name: string;
      /** `auto` gives the backend back to its health check. */
      readonly forced?: 'in' | 'out' | 'auto';
      readonly weight?: number;
    }
  | { readonly op: 'checks'; readonly paused?: boolean; readonly intervalMs?: number }
  | { readonly op: 'power'; readonly to: 'on' | 'off' };
