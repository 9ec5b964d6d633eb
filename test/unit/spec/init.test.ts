import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { newClusterFile } from '../../../src/cluster-init.ts';
import { isError } from '../../../src/errors/diagnostic.ts';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import { fileFromFlags, parseEndpoint, parseNodes } from '../../../src/spec/init/flags.ts';
import { printClusterFile } from '../../../src/spec/init/print.ts';
import { type ClusterFile, clusterSchema } from '../../../src/spec/schema.ts';
import { strategyNames } from '../../../src/spec/spec.ts';
import { readSpecText } from '../../support/spec.ts';

const three = { masters: '10.0.0.1,10.0.0.2,10.0.0.3', endpoint: '172.16.105.26:6443' };

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof OperatorError) return error.message;
    throw error;
  }
  return 'not refused';
}

describe('newClusterFile()', () => {
  test('a whole file from flags', async () => {
    const { text, notes, warnings } = newClusterFile(
      {
        ...three,
        workers: 'w1=10.0.0.4',
        balancer: 'alibaba-clb',
        sshUser: 'root',
        imageRepository: 'registry.k8s.io',
      },
      { file: 'cluster.yaml' },
    );
    await expect(text).toMatchFileSnapshot('../../golden/init/flags.yaml');
    expect([notes, warnings]).toEqual([[], []]);
  });

  test('a whole file from an inventory, with flags for the rest', async () => {
    const inventory = {
      file: 'hosts.ini',
      text: '[masters]\nm1 ansible_host=10.0.0.1 ansible_user=ops\n[workers]\nw1 ip=10.0.0.4\n',
    };
    const { text, notes } = newClusterFile(
      { endpoint: 'cluster.k8sapiserver:6443', endpointAddresses: '172.16.105.26', strategy: 'hosts', name: 'named' },
      { file: 'cluster.yaml', inventory },
    );
    await expect(text).toMatchFileSnapshot('../../golden/init/inventory.yaml');
    expect(notes).toEqual(['masters from [masters], workers from [workers] of hosts.ini']);
  });

  test('two masters are written, with a warning', () => {
    const { warnings } = newClusterFile({ ...three, masters: '10.0.0.1,10.0.0.2' }, { file: 'cluster.yaml' });
    expect(warnings.map((line) => line.split('   ').at(-1))).toEqual(['SPEC_MASTERS_EVEN']);
  });

  test.each([
    {
      name: 'nothing given',
      flags: {},
      says: 'Cannot write a spec:\n  --masters: is missing; expected addresses, such as 10.0.0.1,10.0.0.2,10.0.0.3\n  --endpoint: is missing; expected ADDRESS:PORT or NAME:PORT, such as 172.16.105.26:6443',
    },
    {
      name: 'a problem of the file is said of the flag',
      flags: { ...three, strategy: 'hosts', kubernetes: 'v1.9.0' },
      says: 'Cannot write a spec:\n  --kubernetes: v1.9.0 is not supported; expected v1.14.0 or newer (certificates are shared between masters by kubeadm since v1.14)\n  --strategy: hosts changes what a name means, and the endpoint 172.16.105.26 is an address; expected steer, bind-vip or keepalived-haproxy for an address (or make up a name: `endpoint: { domain, addresses: [VIP] }`)',
    },
    {
      name: 'an unknown product',
      flags: { ...three, balancer: 'alibaba-cbl' },
      says: 'Cannot write a spec: --balancer: `alibaba-cbl` is not known; expected one of alibaba-clb, azure-ilb, aws-nlb, aws-nlb-preserve, tencent-clb, huawei-elb, gcp-internal, lvs-dr, lvs-nat, haproxy (did you mean `alibaba-clb`?)',
    },
    {
      name: 'the same address twice',
      flags: { ...three, workers: '10.0.0.3' },
      says: 'Cannot write a spec: --masters, --workers or the inventory: 10.0.0.3 is used by m3 too',
    },
    {
      name: 'addresses for an address',
      flags: { ...three, endpointAddresses: '10.1.0.1' },
      says: 'Cannot write a spec: --endpoint-addresses: goes with a name only; expected --endpoint NAME:PORT',
    },
  ])('refuses: $name', ({ flags, says }) => {
    expect(refused(() => newClusterFile(flags, { file: 'cluster.yaml' }))).toBe(says);
  });
});

describe('flags', () => {
  test.each([
    ['172.16.105.26:6443', { address: '172.16.105.26', port: 6443 }],
    ['172.16.105.26', { address: '172.16.105.26', port: 6443 }],
    ['[fd00::26]:9443', { address: 'fd00::26', port: 9443 }],
    ['fd00::26', { address: 'fd00::26', port: 6443 }],
    ['[fd00::26]', { address: 'fd00::26', port: 6443 }],
    ['api.prod.example:443', { domain: 'api.prod.example', port: 443 }],
    ['api', { domain: 'api', port: 6443 }],
  ])('parseEndpoint(%s)', (text, endpoint) => {
    expect(parseEndpoint(text, undefined)).toEqual(endpoint);
  });

  test.each([
    '10.0.0',
    '10.0.0.300:6443',
    'https://api.prod.example',
    'a:b:c',
    '[api]:1',
    ':6443',
    'API:1',
    '1.2.3.4.5',
  ])('parseEndpoint(%s) is refused', (text) => {
    expect(parseEndpoint(text, undefined)).toHaveProperty('problem');
  });

  test('parseNodes() makes up names where there are none', () => {
    expect(parseNodes('10.0.0.1, cp=10.0.0.2 ,10.0.0.3+fd00::3,', 'masters', 'm')).toEqual([
      { name: 'm1', role: 'control-plane', address: '10.0.0.1' },
      { name: 'cp', role: 'control-plane', address: '10.0.0.2' },
      { name: 'm3', role: 'control-plane', address: ['10.0.0.3', 'fd00::3'] },
    ]);
  });
});

describe('printClusterFile()', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
  const port = fc.integer({ min: 1, max: 65_535 });
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const awkward = fc.constantFrom(
    'true',
    'null',
    '1.0',
    '0x10',
    '~',
    'yes',
    "it's",
    'a#b',
    '-x',
    '@y',
    '%z',
    '{',
    'a:',
    '*a',
    '&a',
    '!t',
    '|',
    '>',
    '1e3',
  );
  const ssh = fc.record({
    user: optional(fc.oneof(name, awkward)),
    port: optional(port),
    identityFile: optional(
      fc.oneof(
        fc.string({ minLength: 1 }).filter((s) => s.trim() !== '' && !s.includes('\0')),
        awkward,
      ),
    ),
  });
  const file = fc
    .record({
      name,
      version: fc.constantFrom('v1.14.1', 'v1.37.2', '1.36.3', 'v1.38.0-rc.1'),
      endpoint: fc.oneof(
        fc.record({ address, port }),
        fc.record({
          domain: name.map((n) => `${n}.example`),
          addresses: fc.array(address, { minLength: 1, maxLength: 3 }),
          port,
        }),
      ),
      strategy: fc.oneof(
        fc.constantFrom('auto', ...strategyNames),
        fc.record({ steer: fc.record({ workers: fc.boolean() }) }),
        fc.record({ 'keepalived-haproxy': fc.record({ vrrp: fc.constantFrom('unicast', 'silent'), port }) }),
      ),
      hairpin: fc.constantFrom('auto', 'works', 'drop', 'local', 'one-arm'),
      nodes: fc.array(
        fc.record({
          name,
          role: fc.constantFrom('control-plane', 'worker'),
          address: fc.oneof(address, fc.tuple(fc.ipV4(), fc.ipV6())),
          ssh,
        }),
        { minLength: 1, maxLength: 5 },
      ),
      ssh,
      documents: fc.array(
        fc.record({
          apiVersion: fc.constant('kubelet.config.k8s.io/v1beta1'),
          kind: fc.constant('KubeletConfiguration'),
          anything: fc.jsonValue({ maxDepth: 2 }),
        }),
        { maxLength: 2 },
      ),
    })
    .map(
      (f) =>
        // JSON has no undefined: this drops the fields that are not there.
        JSON.parse(
          JSON.stringify({
            apiVersion: 'hairpin/v1alpha1',
            kind: 'Cluster',
            metadata: { name: f.name },
            spec: {
              kubernetes: { version: f.version },
              endpoint: f.endpoint,
              balancer: { hairpin: f.hairpin },
              strategy: f.strategy,
              nodes: f.nodes,
              ssh: f.ssh,
              kubeadm: { documents: f.documents },
            },
          }),
        ) as ClusterFile,
    );

  test('parse ∘ print gives the same file, whatever is in it, and comments are only comments', () =>
    fc.assert(
      fc.property(file, fc.string(), (written, remark) => {
        const text = printClusterFile(written, [
          { at: ['spec', 'nodes', 0, 'address'], text: remark },
          { at: ['spec', 'endpoint'], text: 'one\ntwo' },
          { at: ['spec', 'nowhere', 'at', 'all'], text: remark },
        ]);
        expect(parse(text)).toEqual(written);
        const result = readSpecText(text);
        // Rules may object to a random file; the schema must not.
        const complaints = result.ok ? [] : result.diagnostics.filter(isError);
        expect(complaints.filter((d) => d.code === 'YAML_SYNTAX' || d.code.startsWith('FIELD_'))).toEqual(
          clusterSchema.safeParse(written).success ? [] : complaints.filter((d) => d.code.startsWith('FIELD_')),
        );
      }),
      { numRuns: 300 },
    ));

  test('what flags say is what a reader of the file sees', () => {
    const result = fileFromFlags({ ...three, strategy: 'steer', apiServerPort: '7443', podSubnet: '10.1.0.0/16' });
    const read = result.ok ? readSpecText(printClusterFile(result.file)) : undefined;
    expect(
      read?.ok && [
        read.spec.apiServerPort,
        read.spec.strategy,
        read.spec.balancer?.backendPort,
        read.spec.kubernetes.podSubnets,
      ],
    ).toEqual([7443, { name: 'steer', workers: false }, 7443, [{ base: { family: 4, text: '10.1.0.0' }, prefix: 16 }]]);
  });
});
