import type { AllDown, BalancerConfig, EjectedFlows, HealthCheck, Scheduling } from '../../balancer/behaviour.ts';
import type { NetworkKind, Tier } from './lab-spec.ts';

/** A lab as the user wrote it, in `lab.yaml` or with flags: everything may be left out. `resolve` fills in the rest. */
export interface LabInput {
  readonly name?: string | undefined;
  readonly tier?: Tier | undefined;
  readonly kubernetes?: string | undefined;
  readonly ip?: '4' | '6' | 'dual' | undefined;
  readonly masters?: MachinesInput | undefined;
  readonly workers?: MachinesInput | undefined;
  readonly clients?: MachinesInput | undefined;
  readonly network?: NetworkInput | undefined;
  readonly endpoint?: EndpointInput | undefined;
  readonly balancer?: string | BalancerInput | undefined;
  readonly apiServerPort?: number | undefined;
  /** Nodes with sshd and nothing of Kubernetes. */
  readonly bare?: boolean | undefined;
}

/** How many, or where each of them is: one address per family in use. */
export type MachinesInput = number | readonly { readonly addresses: readonly string[] }[];

export interface NetworkInput {
  readonly kind?: NetworkKind | undefined;
  readonly nodes?: readonly string[] | undefined;
  readonly clients?: readonly string[] | undefined;
  readonly pods?: readonly string[] | undefined;
  readonly services?: readonly string[] | undefined;
}

export interface EndpointInput {
  readonly kind?: 'vip' | 'domain' | undefined;
  readonly domain?: string | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly port?: number | undefined;
}

/** A preset or a behaviour to start from, and what to change of it. */
export interface BalancerInput {
  readonly like?: string | undefined;
  readonly backendPort?: number | undefined;
  readonly terminateTls?: boolean | undefined;
  readonly scheduling?: Scheduling | undefined;
  readonly healthCheck?: { readonly [K in keyof HealthCheck]?: HealthCheck[K] | undefined } | undefined;
  readonly probeSource?: string | undefined;
  readonly ejectedFlows?: EjectedFlows | undefined;
  readonly drainMs?: number | undefined;
  readonly allDown?: AllDown | undefined;
}

/** What `balancer` may name: behaviours and products, each a whole balancer. */
export type BalancerCatalog = ReadonlyMap<string, CatalogEntry>;

export interface CatalogEntry {
  readonly kind: 'behaviour' | 'preset';
  readonly network: NetworkKind;
  /** What an endpoint is when nothing is said: some products have a name with several addresses in front. */
  readonly frontEnd: 'address' | 'domain';
  readonly config: BalancerConfig;
}

/** Something wrong with an input; `path` is the YAML path of lab.yaml, which flags are mapped to as well. */
export interface LabProblem {
  readonly path: readonly (string | number)[];
  readonly code: string;
  readonly problem: string;
  readonly expected?: string;
  readonly hint?: string;
}
