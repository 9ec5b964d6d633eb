/**
 * What a probe saw, before anybody judges it. Plain data: the classifier is a pure function of it, and `--output json`
 * prints it so that others can judge again.
 */
import type { Address } from '../../std/address.ts';

export interface ProbeObservation {
  readonly endpoint: { readonly host: string; readonly port: number; readonly domain: string | undefined };
  /** What was dialled: the balancer's addresses. */
  readonly dialled: readonly Address[];
  readonly backendPort: number;
  /** `listener`: throw-away listeners served, because nothing else did. `real`: the apiservers (or what stands for them). */
  readonly served: 'real' | 'listener';
  readonly clients: readonly ClientObservation[];
  readonly backends: readonly BackendObservation[];
}

/** One node as a client of the endpoint. */
export interface ClientObservation {
  readonly node: string;
  readonly role: 'control-plane' | 'worker';
  /** Why it could not be asked at all; everything below is empty then. */
  readonly failed: string | undefined;
  /** What the endpoint's name resolves to there; empty: it does not. `undefined` for an endpoint that is an address. */
  readonly lookup: readonly Address[] | undefined;
  readonly lookupFromHosts: boolean;
  /** `ip route get` of the endpoint. */
  readonly route: 'unicast' | 'local' | 'none';
  /** False without a working nft: then nothing below `counted` is known. */
  readonly counting: boolean;
  readonly tries: readonly Try[];
}

export type Outcome =
  /** The throw-away listener of `by` answered and saw the connection come from `peer`. */
  | { readonly is: 'banner'; readonly by: string; readonly peer: string }
  /** A TLS server answered; the certificate's SHA-256, or `undefined` when it kept it to itself. */
  | { readonly is: 'tls'; readonly certificate: string | undefined }
  /** Bytes that neither TLS nor the listener sends. */
  | { readonly is: 'data'; readonly text: string }
  | { readonly is: 'refused' | 'reset' | 'closed' | 'timeout' | 'silent' }
  | { readonly is: 'unreachable'; readonly errno: number };

/** One connection. The three counts come from the node's own packet filter and are false when it did not count. */
export interface Try {
  readonly outcome: Outcome;
  readonly ms: number;
  /** Its SYN left the node for the endpoint: nothing on the node sent it elsewhere. */
  readonly left: boolean;
  /** Its SYN came back to the node that sent it, with the node's own address as source and destination. */
  readonly returned: boolean;
  /** The answer came from another node's own address instead of the endpoint's. */
  readonly stray: boolean;
}

/** One master as a backend of the balancer. */
export interface BackendObservation {
  readonly node: string;
  readonly listening: boolean;
  /** SHA-256 of the certificate that it serves itself on the backend port; `undefined` without TLS. */
  readonly certificate: string | undefined;
  /** Connections to the throw-away listener that were not the probe's own: the balancer's health checks. */
  readonly checksSeen: number;
  /** Ports at which connections of the probe arrived from other nodes, with the source address kept. */
  readonly arrivedAt: readonly number[];
  /** Ports at which connections of machines outside of the cluster arrived: health checks, proxied connections. */
  readonly outsideAt: readonly number[];
}
