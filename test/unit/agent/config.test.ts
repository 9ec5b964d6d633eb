import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentConfigSchema } from '../../../src/agent/config/config.ts';
import { readAgentConfig } from '../../../src/agent/config/read-config.ts';
import { agentConfigShape } from '../../../src/agent/config/shape.ts';
import { formatDiagnostic } from '../../../src/errors/diagnostic.ts';

const good = {
  version: 1,
  node: { name: 'm1', addresses: ['10.0.0.1'], role: 'control-plane' },
  endpoint: { host: '10.0.1.1', addresses: ['10.0.1.1'], port: 6443 },
  apiServerPort: 6443,
  masters: [
    { name: 'm1', addresses: ['10.0.0.1'] },
    { name: 'm2', addresses: ['10.0.0.2', 'fd00::2'] },
  ],
  steer: true,
  device: 'eth0',
  uplinks: 'auto',
  ca: ['/etc/kubernetes/pki/ca.crt', '/etc/hairpin/ca.crt'],
};

const problems = async (text: string) => {
  const read = await readAgentConfig(text, 'agent.json');
  return read.ok ? [] : read.diagnostics.map(formatDiagnostic);
};
const changed = async (change: object) => await problems(JSON.stringify({ ...good, ...change }, undefined, 2));

describe('readAgentConfig()', () => {
  test('gives what is written, and the checksum of the text', async () => {
    const text = JSON.stringify(good);
    expect(await readAgentConfig(text, 'agent.json')).toEqual({
      ok: true,
      config: good,
      checksum: 'fbe1183c8ec98f69ee836cb38c5369d715d03da5a8e7095d99e4e9bc95c18c5f',
    });
  });

  test.each([
    {
      name: 'an address that is not canonical',
      change: { masters: [{ name: 'm2', addresses: ['FD00::2'] }] },
      want: ['agent.json:22:9  masters[0].addresses[0]: an IP address in canonical form   FIELD_VALUE'],
    },
    {
      name: 'a field that is not there',
      change: { streer: true },
      want: [
        `agent.json:40:3  streer: there is no such field; expected one of version, node, endpoint, apiServerPort, masters, draining, steer, device, uplinks, ca, kubeconfig, dns, metrics, mirror   FIELD_UNKNOWN
    did you mean \`steer\`?`,
      ],
    },
    {
      name: 'two masters of one name and one address',
      change: {
        masters: [
          { name: 'm1', addresses: ['10.0.0.1'] },
          { name: 'm1', addresses: ['10.0.0.1'] },
        ],
      },
      want: [
        'agent.json:26:15  masters[1].name: m1 is there twice   AGENT_CONFIG',
        'agent.json:28:9  masters[1].addresses[0]: 10.0.0.1 is used by m1 too   AGENT_CONFIG',
      ],
    },
    {
      name: 'an endpoint that is a node',
      change: { endpoint: { host: '10.0.0.2', addresses: ['10.0.0.2'], port: 6443 } },
      want: [
        "agent.json:13:7  endpoint.addresses[0]: 10.0.0.2 is the address of node m2; expected the balancer's address   AGENT_CONFIG",
      ],
    },
    {
      name: 'a device name that is a command',
      change: { device: 'eth0; reboot' },
      want: [
        'agent.json:34:13  device: `eth0; reboot` cannot be used; expected Invalid string: must match pattern /^[\\w.@-]{1,15}$/   FIELD_VALUE',
      ],
    },
  ])('refuses $name', async ({ change, want }) => {
    expect(await changed(change)).toEqual(want);
  });

  test.each([
    {
      name: 'an empty file',
      text: '',
      want: ['agent.json:1:1  the file is empty; expected a YAML document   FIELD_MISSING'],
    },
    {
      name: 'half a file',
      text: JSON.stringify(good).slice(0, 100),
      want: [
        'agent.json:1:101  Flow map in block collection must be sufficiently indented and end with a }   YAML_SYNTAX',
        'agent.json:1:101  Flow map must end with a }   YAML_SYNTAX',
      ],
    },
    {
      name: 'YAML that says the same',
      text: `${JSON.stringify(good, undefined, 2)}\n# a comment\n`,
      want: [
        'agent.json:41:1  it is not JSON: Unexpected non-whitespace character after JSON at position 588 (line 41 column 1)   JSON_SYNTAX',
      ],
    },
    {
      name: 'a list',
      text: '[]',
      want: ['agent.json:1:1  an empty list cannot be used; expected a mapping   FIELD_TYPE'],
    },
  ])('refuses $name', async ({ text, want }) => {
    expect(await problems(text)).toEqual(want);
  });

  test('whatever the text is, it is read or refused at a place', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.tuple(fc.nat(400), fc.string({ maxLength: 5 })).map(([at, noise]) => {
            const text = JSON.stringify(good);
            return text.slice(0, at) + noise + text.slice(at + noise.length);
          }),
        ),
        async (text) => {
          const read = await readAgentConfig(text, 'agent.json');
          if (read.ok) return;
          expect(read.diagnostics.length).toBeGreaterThan(0);
          for (const { line, column } of read.diagnostics) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(column).toBeGreaterThanOrEqual(1);
          }
        },
      ),
      { numRuns: 300 },
    ));

  test('the quick look takes what the schema takes, and nothing else', () => {
    // biome-ignore format: a list of names
    const paths = [
      'version', 'node', 'endpoint', 'apiServerPort', 'masters', 'draining', 'steer', 'device', 'uplinks', 'ca', 'kubeconfig',
      'dns', 'metrics', 'mirror', 'node.name', 'node.role', 'node.addresses', 'endpoint.host', 'more',
    ];
    // biome-ignore format: a list of values
    const values: readonly unknown[] = [
      1, 0, 65_536, 6443.5, '', 'auto', 'eth0', 'worker', '/ca', ['/ca'], [], ['eth0'], {}, null, true, false,
      { port: 6480 }, { port: 0 }, { port: 1, x: 1 }, ['10.0.0.1'], ['FD00::1'], 'x'.repeat(254),
      [{ name: 'm1', addresses: [] }], [{ name: 'm1', addresses: ['10.0.0.9'] }],
    ];
    const spoiled = fc
      .tuple(fc.constantFrom(...paths), fc.oneof(fc.constantFrom(...values), fc.jsonValue()))
      .map(([path, value]) => {
        const config = structuredClone(good) as unknown as Record<string, unknown>;
        const [first = '', second] = path.split('.');
        if (second === undefined) config[first] = value;
        else (config[first] as Record<string, unknown>)[second] = value;
        return config;
      });
    fc.assert(
      fc.property(spoiled, (config) => {
        expect(agentConfigShape(config)).toBe(agentConfigSchema.safeParse(config).success);
      }),
      { numRuns: 3000 },
    );
  });
});
