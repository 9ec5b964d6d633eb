import fc from 'fast-check';
import type { HairpinBehaviour } from '../../src/balancer/behaviour.ts';
import type { Spec, SpecNode, StrategySpec } from '../../src/spec/spec.ts';
import { address, addressAt, cidr } from '../../src/std/address.ts';
import { version } from '../../src/std/version.ts';

export interface AnyCluster {
  readonly spec: Spec;
  readonly behaviour: HairpinBehaviour;
}

const ssh: SpecNode['ssh'] = {
  host: 'node',
  user: undefined,
  port: undefined,
  configFile: undefined,
  identityFile: undefined,
  knownHostsFile: undefined,
  proxyJump: undefined,
  connectTimeoutMs: 10_000,
  sudo: 'auto',
};

export const versions = ['v1.14.1', 'v1.18.20', 'v1.22.0', 'v1.27.3', 'v1.31.2', 'v1.34.4', 'v1.36.3', 'v1.37.2'];

/** Clusters in which every strategy that is drawn fits its surroundings. */
export const anyCluster: fc.Arbitrary<AnyCluster> = fc
  .record({
    masters: fc.integer({ min: 1, max: 5 }),
    workers: fc.integer({ min: 0, max: 6 }),
    ip: fc.constantFrom(4, 6),
    version: fc.constantFrom(...versions),
    bundle: fc.boolean(),
    cni: fc.constantFrom('manifest', 'bridge', 'none'),
    fit: fc.constantFrom<{ strategy: StrategySpec; behaviour: HairpinBehaviour }>(
      { strategy: { name: 'auto' }, behaviour: 'works' },
      { strategy: { name: 'auto' }, behaviour: 'drop' },
      { strategy: { name: 'auto' }, behaviour: 'one-arm' },
      { strategy: { name: 'bind-vip' }, behaviour: 'drop' },
      { strategy: { name: 'bind-vip' }, behaviour: 'local' },
      { strategy: { name: 'hosts', to: 'loopback' }, behaviour: 'drop' },
      { strategy: { name: 'hosts', to: 'own-address' }, behaviour: 'local' },
      { strategy: { name: 'keepalived-haproxy', vrrp: 'unicast', port: 9443 }, behaviour: 'drop' },
      { strategy: { name: 'keepalived-vip', interface: undefined, routerId: 51, port: 9443 }, behaviour: 'drop' },
      { strategy: { name: 'steer', workers: false }, behaviour: 'local' },
      { strategy: { name: 'steer', workers: true }, behaviour: 'drop' },
    ),
  })
  .map(({ masters, workers, ip, version: text, bundle, cni, fit }) => ({
    behaviour: fit.behaviour,
    spec: makeSpec({ masters, workers, ip: ip as 4 | 6, version: text, bundle, cni, strategy: fit.strategy }),
  }));

export interface SpecShape {
  readonly masters: number;
  readonly workers: number;
  readonly ip: 4 | 6;
  readonly version: string;
  readonly bundle: boolean;
  readonly cni: string;
  readonly strategy: StrategySpec;
}

export function makeSpec(shape: SpecShape): Spec {
  const { strategy, ip } = shape;
  const net = cidr(ip === 4 ? '172.16.0.0/16' : 'fd00:16::/64');
  const vip = address(ip === 4 ? '172.17.105.26' : 'fd00:17::26');
  const usesHaproxy = strategy.name === 'keepalived-haproxy' || strategy.name === 'keepalived-vip';
  const port = usesHaproxy ? 9443 : 6443;
  const node = (name: string, role: SpecNode['role'], offset: number): SpecNode => {
    const own = addressAt(net, offset);
    return { name, role, address: own, addresses: [own], interface: undefined, ssh };
  };
  return {
    name: 'any',
    kubernetes: {
      version: version(shape.version),
      imageRepository: undefined,
      podSubnets: [cidr(ip === 4 ? '10.0.0.0/8' : 'fd00:10::/48')],
      serviceSubnets: [cidr(ip === 4 ? '192.168.0.0/16' : 'fd00:96::/112')],
      dnsDomain: 'cluster.local',
      cni:
        shape.cni === 'manifest' ? { kind: 'manifest', path: './cni.yaml' } : { kind: shape.cni as 'bridge' | 'none' },
    },
    endpoint:
      strategy.name === 'hosts'
        ? { kind: 'domain', host: 'cluster.k8sapiserver', domain: 'cluster.k8sapiserver', addresses: [vip], port }
        : { kind: 'address', host: vip.text, address: vip, addresses: [vip], port },
    balancer:
      strategy.name === 'keepalived-vip'
        ? undefined
        : {
            product: undefined,
            backendPort: port,
            hairpin: 'auto',
            healthCheck: { protocol: 'tcp', path: '/readyz', intervalMs: 2000, timeoutMs: 5000, rise: 3, fall: 3 },
          },
    strategy,
    apiServerPort: 6443,
    nodes: [
      ...Array.from({ length: shape.masters }, (_, i) => node(`m${i + 1}`, 'control-plane', 10 + i)),
      ...Array.from({ length: shape.workers }, (_, i) => node(`w${i + 1}`, 'worker', 300 + i)),
    ],
    prepare: shape.bundle ? { kind: 'bundle', path: './bundle.tar' } : { kind: 'preinstalled' },
    kubeadm: { documents: [] },
  };
}
