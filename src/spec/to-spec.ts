import { isAbsolute, join } from 'node:path';
import type { HealthCheck } from '../balancer/behaviour.ts';
import { type Cidr, cidr, type Family } from '../std/address.ts';
import type { ParsedClusterFile } from './schema.ts';
import {
  type BalancerSpec,
  type CniSpec,
  type Endpoint,
  type KubeadmDocument,
  type Spec,
  type SpecNode,
  type SshSpec,
  type StrategySpec,
  strategyNames,
} from './spec.ts';

type Written = ParsedClusterFile['spec'];
type StrategyOptions = Exclude<Written['strategy'], string>;

/** What the spec needs to know of a balancer product; src/balancer/products has the table. */
export interface Product {
  readonly healthCheck: HealthCheck;
}

export interface SpecSurroundings {
  /** Paths in the file are relative to this directory. */
  readonly directory: string;
  /** What `~/` stands for; left as it is when absent. */
  readonly home?: string | undefined;
  readonly products: Readonly<Record<string, Product>>;
}

/** The numbers in Alibaba Cloud's manual of CLB (health checks of TCP listeners): the product of the article that started this. */
export const defaultHealthCheck: HealthCheck = {
  protocol: 'tcp',
  path: '/readyz',
  intervalMs: 2000,
  timeoutMs: 5000,
  rise: 3,
  fall: 3,
};

/** The file with every default filled in, also those that depend on other fields. Judges nothing: rules do that. */
export function toSpec(file: ParsedClusterFile, around: SpecSurroundings): Spec {
  const written = file.spec;
  const resolve = (path: string) => {
    if (path.startsWith('~')) {
      return around.home !== undefined && path.startsWith('~/') ? join(around.home, path.slice(2)) : path;
    }
    return isAbsolute(path) ? path : join(around.directory, path);
  };
  const strategy = toStrategy(written);
  const families = familiesOf(written);
  return {
    name: file.metadata.name,
    kubernetes: {
      version: written.kubernetes.version,
      imageRepository: written.kubernetes.imageRepository,
      podSubnets: written.kubernetes.podSubnet ?? families.map((family) => defaultPodSubnets[family]),
      serviceSubnets: written.kubernetes.serviceSubnet ?? families.map((family) => defaultServiceSubnets[family]),
      dnsDomain: written.kubernetes.dnsDomain,
      cni: toCni(written.kubernetes.cni, resolve),
    },
    endpoint: toEndpoint(written.endpoint),
    balancer: toBalancer(written, strategy, around.products),
    strategy,
    apiServerPort: written.apiServerPort,
    nodes: written.nodes.map((node) => toNode(node, written.ssh, resolve)),
    prepare:
      written.prepare === 'preinstalled'
        ? { kind: 'preinstalled' }
        : { kind: 'bundle', path: resolve(written.prepare.bundle) },
    kubeadm: { documents: (written.kubeadm?.documents ?? []) as readonly KubeadmDocument[] },
  };
}

/** kubeadm's customary IPv4 networks; for IPv6 unique local ones of the sizes that kubeadm accepts. */
export const defaultPodSubnets: Readonly<Record<Family, Cidr>> = {
  4: cidr('10.244.0.0/16'),
  6: cidr('fd00:10:244::/56'),
};
export const defaultServiceSubnets: Readonly<Record<Family, Cidr>> = {
  4: cidr('10.96.0.0/12'),
  6: cidr('fd00:10:96::/112'),
};

/** Families that every node has, the first node's primary one first: what pods and services can have. */
function familiesOf(written: Written): readonly Family[] {
  const primary = written.nodes[0]?.address[0]?.family ?? 4;
  const other = primary === 4 ? 6 : 4;
  const dual = written.nodes.every((node) => node.address.some((address) => address.family === other));
  return dual ? [primary, other] : [primary];
}

function toCni(written: Written['kubernetes']['cni'], resolve: (path: string) => string): CniSpec {
  if (written === undefined) return { kind: 'none' };
  return 'manifest' in written ? { kind: 'manifest', path: resolve(written.manifest) } : { kind: written.kind };
}

function toEndpoint(written: Written['endpoint']): Endpoint {
  const { address, domain, addresses, port } = written;
  if (address !== undefined) return { kind: 'address', host: address.text, address, addresses: [address], port };
  return { kind: 'domain', host: domain ?? '', domain: domain ?? '', addresses: addresses ?? [], port };
}

function toStrategy(written: Written): StrategySpec {
  const options: StrategyOptions = typeof written.strategy === 'string' ? { [written.strategy]: {} } : written.strategy;
  const name = strategyNames.find((candidate) => Object.hasOwn(options, candidate));
  const port = written.endpoint.port;
  if (name === undefined) return { name: 'auto' };
  switch (name) {
    case 'direct':
    case 'bind-vip':
      return { name };
    case 'hosts':
      return { name, to: options.hosts?.to ?? 'own-address' };
    case 'keepalived-haproxy': {
      const own = options['keepalived-haproxy'];
      return { name, vrrp: own?.vrrp ?? 'unicast', port: own?.port ?? port };
    }
    case 'keepalived-vip': {
      const own = options['keepalived-vip'];
      return { name, interface: own?.interface, routerId: own?.routerId ?? 51, port: own?.port ?? port };
    }
    case 'steer':
      return { name, workers: options.steer?.workers ?? false };
  }
}

function toBalancer(
  written: Written,
  strategy: StrategySpec,
  products: SpecSurroundings['products'],
): BalancerSpec | undefined {
  // With keepalived-vip there is none; a section that was written all the same is a rule's business.
  if (strategy.name === 'keepalived-vip' || written.balancer === 'none') return undefined;
  const { product, backendPort, hairpin, healthCheck } = written.balancer ?? { hairpin: 'auto' as const };
  const base = (product === undefined ? undefined : products[product]?.healthCheck) ?? defaultHealthCheck;
  const checkedPort = healthCheck?.port ?? base.port;
  return {
    product,
    backendPort: backendPort ?? (strategy.name === 'keepalived-haproxy' ? strategy.port : written.apiServerPort),
    hairpin,
    healthCheck: {
      protocol: healthCheck?.protocol ?? base.protocol,
      ...(checkedPort === undefined ? {} : { port: checkedPort }),
      path: healthCheck?.path ?? (base.path === '' || base.path === '/' ? defaultHealthCheck.path : base.path),
      intervalMs: healthCheck?.interval ?? base.intervalMs,
      timeoutMs: healthCheck?.timeout ?? base.timeoutMs,
      rise: healthCheck?.rise ?? base.rise,
      fall: healthCheck?.fall ?? base.fall,
    },
  };
}

function toNode(
  written: Written['nodes'][number],
  shared: Written['ssh'],
  resolve: (path: string) => string,
): SpecNode {
  const [address] = written.address;
  if (address === undefined) throw new RangeError('A node without an address got past the schema');
  return {
    name: written.name,
    role: written.role,
    address,
    addresses: written.address,
    interface: written.interface,
    ssh: toSsh({ ...shared, ...written.ssh }, resolve),
  };
}

function toSsh(ssh: NonNullable<Written['nodes'][number]['ssh']>, resolve: (path: string) => string): SshSpec {
  const resolved = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  return {
    host: ssh.host,
    user: ssh.user,
    port: ssh.port,
    configFile: resolved(ssh.configFile),
    identityFile: resolved(ssh.identityFile),
    knownHostsFile: resolved(ssh.knownHostsFile),
    proxyJump: ssh.proxyJump,
    connectTimeoutMs: ssh.connectTimeout ?? 10_000,
    sudo: ssh.sudo ?? 'auto',
  };
}
