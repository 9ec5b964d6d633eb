import type { Address } from '../../std/address.ts';
import type { AllDown, BalancerConfig, Behaviour, EjectedFlows, Scheduling } from '../behaviour.ts';

/**
 * A fact about a product together with where it was read. `assumed` says on what grounds a value was taken that no
 * source was found for; reports and docs must not show such a number as the vendor's.
 */
export type Stated<T> =
  | { readonly value: T; readonly source: string; readonly assumed?: never }
  | { readonly value: T; readonly assumed: string; readonly source?: never };

export function documented<T>(value: T, source: string): Stated<T> {
  return { value, source };
}

export function assumed<T>(value: T, grounds: string): Stated<T> {
  return { value, assumed: grounds };
}

/** A balancer that people have, as its documentation describes it. Numbers are the product's defaults, in milliseconds. */
export interface Product {
  readonly name: string;
  readonly title: string;
  readonly frontEnd: Stated<'address' | 'domain'>;
  readonly behaviour: Stated<Behaviour>;
  readonly network: 'routed' | 'segment';
  readonly terminateTls: boolean;
  readonly scheduling: Stated<Scheduling>;
  readonly check: {
    readonly protocol: Stated<'tcp' | 'http' | 'https'>;
    readonly path: string;
    readonly intervalMs: Stated<number>;
    readonly timeoutMs: Stated<number>;
    readonly rise: Stated<number>;
    readonly fall: Stated<number>;
  };
  readonly probeSource: Stated<Address | 'vip' | 'balancer'>;
  readonly ejectedFlows: Stated<EjectedFlows>;
  readonly drainMs: Stated<number>;
  readonly allDown: Stated<AllDown>;
  /** After how long without a packet the balancer forgets a connection. */
  readonly idleMs: Stated<number>;
}

/** The product as the lab builds it. */
export function toBalancerConfig(product: Product): BalancerConfig {
  const { check } = product;
  return {
    behaviour: product.behaviour.value,
    network: product.network,
    terminateTls: product.terminateTls,
    scheduling: product.scheduling.value,
    healthCheck: {
      protocol: check.protocol.value,
      path: check.path,
      intervalMs: check.intervalMs.value,
      timeoutMs: check.timeoutMs.value,
      rise: check.rise.value,
      fall: check.fall.value,
    },
    probeSource: product.probeSource.value,
    ejectedFlows: product.ejectedFlows.value,
    drainMs: product.drainMs.value,
    allDown: product.allDown.value,
    idleMs: product.idleMs.value,
  };
}
