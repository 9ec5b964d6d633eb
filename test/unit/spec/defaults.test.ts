import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSpec } from '../../../src/spec/read-spec.ts';
import { formatCidr } from '../../../src/std/address.ts';
import { repoRoot } from '../../support/imports.ts';
import { products, readSpecText, specOf } from '../../support/spec.ts';

const smallest = `
apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: prod }
spec:
  kubernetes: { version: 1.37.2 }
  endpoint: { address: 172.16.105.26 }
  nodes:
    - { name: m1, role: control-plane, address: 172.16.104.54 }
`;

/** The smallest file with more lines in its `spec`. */
const withMore = (...lines: string[]) => `${smallest}${lines.map((line) => `  ${line}\n`).join('')}`;

describe('defaults', () => {
  test('the smallest file that works, parsed whole', () => {
    const m1 = { family: 4, text: '172.16.104.54' };
    const vip = { family: 4, text: '172.16.105.26' };
    expect(specOf(smallest)).toEqual({
      name: 'prod',
      kubernetes: {
        version: { major: 1, minor: 37, patch: 2, prerelease: undefined, text: 'v1.37.2' },
        imageRepository: undefined,
        podSubnets: [{ base: { family: 4, text: '10.244.0.0' }, prefix: 16 }],
        serviceSubnets: [{ base: { family: 4, text: '10.96.0.0' }, prefix: 12 }],
        dnsDomain: 'cluster.local',
        cni: { kind: 'none' },
      },
      endpoint: { kind: 'address', host: '172.16.105.26', address: vip, addresses: [vip], port: 6443 },
      balancer: {
        product: undefined,
        backendPort: 6443,
        hairpin: 'auto',
        healthCheck: { protocol: 'tcp', path: '/readyz', intervalMs: 2000, timeoutMs: 5000, rise: 3, fall: 3 },
      },
      strategy: { name: 'auto' },
      apiServerPort: 6443,
      nodes: [
        {
          name: 'm1',
          role: 'control-plane',
          address: m1,
          addresses: [m1],
          interface: undefined,
          ssh: {
            host: undefined,
            user: undefined,
            port: undefined,
            configFile: undefined,
            identityFile: undefined,
            knownHostsFile: undefined,
            proxyJump: undefined,
            connectTimeoutMs: 10_000,
            sudo: 'auto',
          },
        },
      ],
      prepare: { kind: 'preinstalled' },
      kubeadm: { documents: [] },
    });
  });

  test('IPv6 nodes get IPv6 networks, dual-stack nodes one of each, primary family first', () => {
    const subnets = (nodes: string, endpoint: string) => {
      const text = smallest.replace('address: 172.16.105.26', `address: "${endpoint}"`).replace('172.16.104.54', nodes);
      const { podSubnets, serviceSubnets } = specOf(text).kubernetes;
      return [podSubnets.map(formatCidr), serviceSubnets.map(formatCidr)];
    };
    expect(subnets('"fd00::1"', 'fd01::26')).toEqual([['fd00:10:244::/56'], ['fd00:10:96::/112']]);
    expect(subnets('[10.0.0.1, "fd00::1"]', 'fd01::26')).toEqual([
      ['10.244.0.0/16', 'fd00:10:244::/56'],
      ['10.96.0.0/12', 'fd00:10:96::/112'],
    ]);
    expect(subnets('["fd00::1", 10.0.0.1]', '10.1.0.1')).toEqual([
      ['fd00:10:244::/56', '10.244.0.0/16'],
      ['fd00:10:96::/112', '10.96.0.0/12'],
    ]);
  });

  test.each([
    { name: 'auto by name', text: 'strategy: auto', strategy: { name: 'auto' } },
    { name: 'direct by name', text: 'strategy: direct', strategy: { name: 'direct' } },
    { name: 'direct as a mapping', text: 'strategy: { direct: {} }', strategy: { name: 'direct' } },
    { name: 'bind-vip by name', text: 'strategy: bind-vip', strategy: { name: 'bind-vip' } },
    {
      name: 'steer by name leaves workers alone',
      text: 'strategy: steer',
      strategy: { name: 'steer', workers: false },
    },
    {
      name: 'steer with workers',
      text: 'strategy: { steer: { workers: true } }',
      strategy: { name: 'steer', workers: true },
    },
  ])('strategy: $name', ({ text, strategy }) => {
    expect(specOf(withMore(text)).strategy).toEqual(strategy);
  });

  test('keepalived-haproxy takes its port from the endpoint, and the balancer its backend port from there', () => {
    const text = withMore('strategy: keepalived-haproxy').replace('172.16.105.26 }', '172.16.105.26, port: 9443 }');
    const { strategy, balancer } = specOf(text);
    expect(strategy).toEqual({ name: 'keepalived-haproxy', vrrp: 'unicast', port: 9443 });
    expect(balancer?.backendPort).toBe(9443);
  });

  test('keepalived-vip has no balancer', () => {
    const text = withMore('strategy: { keepalived-vip: { interface: eth0 } }').replace(
      '172.16.105.26 }',
      '172.16.104.26, port: 9443 }',
    );
    const { strategy, balancer } = specOf(text);
    expect(strategy).toEqual({ name: 'keepalived-vip', interface: 'eth0', routerId: 51, port: 9443 });
    expect(balancer).toBeUndefined();
  });

  test('hosts sends the name to the own address', () => {
    const text = withMore('strategy: hosts').replace(
      'address: 172.16.105.26',
      'domain: cluster.k8sapiserver, addresses: [172.16.105.26]',
    );
    expect(specOf(text)).toMatchObject({
      strategy: { name: 'hosts', to: 'own-address' },
      endpoint: {
        kind: 'domain',
        host: 'cluster.k8sapiserver',
        domain: 'cluster.k8sapiserver',
        addresses: [{ family: 4, text: '172.16.105.26' }],
        port: 6443,
      },
    });
  });

  test('a named product brings its health check, and what is written wins over it', () => {
    const text = withMore('balancer: { product: azure-ilb, healthCheck: { interval: 500ms } }');
    expect(specOf(text).balancer).toEqual({
      product: 'azure-ilb',
      backendPort: 6443,
      hairpin: 'auto',
      healthCheck: { protocol: 'https', path: '/readyz', intervalMs: 500, timeoutMs: 10_000, rise: 1, fall: 2 },
    });
  });

  test('ssh of a node is the shared one with its own on top; paths are relative to the file', () => {
    const text = withMore(
      'ssh: { user: root, configFile: ./ssh_config }',
      'prepare: { bundle: bundles/b.tar }',
    ).replace('address: 172.16.104.54 }', 'address: 172.16.104.54, ssh: { port: 2222, identityFile: /keys/m1 } }');
    const result = readSpecText(text, 'clusters/prod/cluster.yaml');
    expect(result.ok && [result.spec.nodes[0]?.ssh, result.spec.prepare]).toEqual([
      {
        host: undefined,
        user: 'root',
        port: 2222,
        configFile: 'clusters/prod/ssh_config',
        identityFile: '/keys/m1',
        knownHostsFile: undefined,
        proxyJump: undefined,
        connectTimeoutMs: 10_000,
        sudo: 'auto',
      },
      { kind: 'bundle', path: 'clusters/prod/bundles/b.tar' },
    ]);
  });
});

test('~ is the home directory where that is known, and left to ssh where it is not', () => {
  const text = withMore('ssh: { identityFile: ~/.ssh/id, configFile: ~ops/config }');
  const files = [undefined, '/home/ops'].map((home) => {
    const result = readSpec(text, { file: 'a/cluster.yaml', products, home });
    return result.ok && [result.spec.nodes[0]?.ssh.identityFile, result.spec.nodes[0]?.ssh.configFile];
  });
  expect(files).toEqual([
    ['~/.ssh/id', '~ops/config'],
    ['/home/ops/.ssh/id', '~ops/config'],
  ]);
});

describe('examples', () => {
  const dir = join(repoRoot, 'examples');
  test.each(
    readdirSync(dir)
      .filter((name) => name.endsWith('.yaml') && name !== 'lab.yaml')
      .map((name) => ({ name })),
  )('$name is fine, without a warning', ({ name }) => {
    const result = readSpecText(readFileSync(join(dir, name), 'utf8'), name);
    expect(result.ok ? result.warnings : result.diagnostics).toEqual([]);
  });

  test('`balancer: none` is a network without one, whatever the strategy', () => {
    expect(specOf(withMore('balancer: none')).balancer).toBeUndefined();
    expect(
      specOf(withMore('balancer: none', 'strategy: keepalived-haproxy', 'apiServerPort: 7443')).balancer,
    ).toBeUndefined();
    const wrong = readSpecText(withMore('balancer: nothing'));
    expect(wrong.ok ? [] : wrong.diagnostics).toMatchObject([{ path: 'spec.balancer', line: 10, column: 13 }]);
  });
});
