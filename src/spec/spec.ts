/**
 * The spec: what the user wrote in `cluster.yaml`, with every default filled in and every cross-field rule held.
 * Plain data; the planner, the renderers and the strategies read this and never the YAML. This room does no I/O.
 */
import type { HairpinBehaviour, HealthCheck } from '../balancer/behaviour.ts';
import type { Address, Cidr } from '../std/address.ts';
import type { Version } from '../std/version.ts';

export const apiVersion = 'hairpin/v1alpha1';

export interface Spec {
  /** `metadata.name`: a DNS label; names the journal's directory and the kubeconfig's context. */
  readonly name: string;
  readonly kubernetes: KubernetesSpec;
  readonly endpoint: Endpoint;
  /** `undefined` with `keepalived-vip` only: there the masters themselves hold the VIP. */
  readonly balancer: BalancerSpec | undefined;
  readonly strategy: StrategySpec;
  readonly apiServerPort: number;
  /** In the order written, which is the order of joining; the first control-plane node is the leader. */
  readonly nodes: readonly SpecNode[];
  readonly prepare: PrepareSpec;
  readonly kubeadm: KubeadmSpec;
}

export interface KubernetesSpec {
  readonly version: Version;
  /** `undefined`: kubeadm's own default. */
  readonly imageRepository: string | undefined;
  /** One per family in use; the first one is the primary family. */
  readonly podSubnets: readonly Cidr[];
  readonly serviceSubnets: readonly Cidr[];
  readonly dnsDomain: string;
  readonly cni: CniSpec;
}

/** `none`: the user installs one afterwards; nodes stay NotReady until then. `bridge` is for the lab. */
export type CniSpec =
  | { readonly kind: 'manifest'; readonly path: string }
  | { readonly kind: 'bridge' }
  | { readonly kind: 'none' };

/** What clients dial. `host` is the address or the name as text, ready for `formatHostPort`. */
export type Endpoint = AddressEndpoint | DomainEndpoint;

export interface AddressEndpoint {
  readonly kind: 'address';
  readonly host: string;
  readonly address: Address;
  /** Always exactly `[address]`, so that code that does not care about the kind reads `addresses`. */
  readonly addresses: readonly Address[];
  readonly port: number;
}

export interface DomainEndpoint {
  readonly kind: 'domain';
  readonly host: string;
  readonly domain: string;
  /** What the user wrote; empty when DNS is to be asked. A made-up name always has some. */
  readonly addresses: readonly Address[];
  readonly port: number;
}

export interface BalancerSpec {
  /** A row of the product table (`alibaba-clb`), when the user named one. */
  readonly product: string | undefined;
  /** The port of the backends that the balancer forwards to. */
  readonly backendPort: number;
  /** `auto`: measure it. */
  readonly hairpin: HairpinBehaviour | 'auto';
  readonly healthCheck: HealthCheck;
}

export const strategyNames = ['direct', 'bind-vip', 'hosts', 'keepalived-haproxy', 'keepalived-vip', 'steer'] as const;
export type StrategyName = (typeof strategyNames)[number];

/** The strategy as asked for, with its options; `auto` leaves the choice to the plan, which prints its reason. */
export type StrategySpec =
  | { readonly name: 'auto' }
  | { readonly name: 'direct' }
  | { readonly name: 'bind-vip' }
  | { readonly name: 'hosts'; readonly to: HostsTarget }
  | {
      readonly name: 'keepalived-haproxy';
      /** `silent`: VRRP off, every keepalived thinks it is alone. `unicast`: peers that each make themselves master. */
      readonly vrrp: 'unicast' | 'silent';
      /** haproxy's port on every master; equal to `endpoint.port` and to `balancer.backendPort`. */
      readonly port: number;
    }
  | {
      readonly name: 'keepalived-vip';
      /** `undefined`: the interface of each master that has the node's address. */
      readonly interface: string | undefined;
      readonly routerId: number;
      /** haproxy's port on the VIP; equal to `endpoint.port`. */
      readonly port: number;
    }
  | { readonly name: 'steer'; readonly workers: boolean };

/** Where `hosts` sends the endpoint's name on a master: 127.0.0.1 (or ::1), as the article does, or its own address. */
export type HostsTarget = 'loopback' | 'own-address';

export type NodeRole = 'control-plane' | 'worker';

export interface SpecNode {
  readonly name: string;
  readonly role: NodeRole;
  /** The primary address: what kubeadm advertises, what other nodes dial. */
  readonly address: Address;
  /** All of them, one per family, the primary one first. */
  readonly addresses: readonly Address[];
  /** The interface that has `address`; `undefined`: found by looking. */
  readonly interface: string | undefined;
  readonly ssh: SshSpec;
}

/** How to reach one node: the cluster's `ssh` with the node's own on top. `undefined` leaves it to OpenSSH's config. */
export interface SshSpec {
  /** What `ssh` is to dial instead of the node's name or address, where somebody wrote it. */
  readonly host: string | undefined;
  readonly user: string | undefined;
  readonly port: number | undefined;
  readonly configFile: string | undefined;
  readonly identityFile: string | undefined;
  readonly knownHostsFile: string | undefined;
  readonly proxyJump: string | undefined;
  readonly connectTimeoutMs: number;
  /** `auto`: sudo unless the login is root. */
  readonly sudo: 'auto' | 'always' | 'never';
}

export type PrepareSpec = { readonly kind: 'preinstalled' } | { readonly kind: 'bundle'; readonly path: string };

export interface KubeadmSpec {
  /** Raw kubeadm, kubelet and kube-proxy documents; merged last, and they win. */
  readonly documents: readonly KubeadmDocument[];
}

export interface KubeadmDocument {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [key: string]: unknown;
}

export function controlPlaneNodes(spec: Spec): readonly SpecNode[] {
  return spec.nodes.filter((node) => node.role === 'control-plane');
}

export function workerNodes(spec: Spec): readonly SpecNode[] {
  return spec.nodes.filter((node) => node.role === 'worker');
}
