import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentConfigSchema } from '../../../../src/agent/config/config.ts';
import { parseSettings } from '../../../../src/agent/steerer/settings.ts';

const base = {
  version: 1,
  node: { name: 'm1', addresses: ['172.16.104.54', 'fd00::1'], role: 'control-plane' },
  endpoint: { host: 'api.prod.example', addresses: ['172.16.105.26'], port: 6443 },
  apiServerPort: 6444,
  masters: [{ name: 'm1', addresses: ['172.16.104.54', 'fd00::1'] }],
  steer: true,
  device: 'eth0',
  uplinks: 'auto',
  ca: ['/etc/kubernetes/pki/ca.crt'],
  kubeconfig: '/etc/kubernetes/kubelet.conf',
};

/** One value somewhere in the configuration is another one. */
const spoiled = fc
  .tuple(
    fc.constantFrom(
      ['version'],
      ['node'],
      ['node', 'addresses'],
      ['node', 'role'],
      ['endpoint', 'addresses'],
      ['endpoint', 'port'],
      ['apiServerPort'],
      ['masters'],
      ['steer'],
      ['device'],
      ['uplinks'],
      ['kubeconfig'],
    ),
    fc.oneof(
      fc.constantFrom<unknown>(
        1,
        6443,
        65_536,
        0,
        'auto',
        'eth0',
        'eth0;x',
        true,
        null,
        [],
        ['eth0'],
        ['10.0.0.1'],
        ['010.0.0.1'],
        '/a',
        'a',
      ),
      fc.jsonValue({ maxDepth: 1 }),
    ),
  )
  .map(([path, value]) => {
    const copy = structuredClone(base) as Record<string, unknown>;
    const [first = '', second] = path;
    if (second === undefined) copy[first] = value;
    else (copy[first] as Record<string, unknown>)[second] = value;
    return copy;
  });

describe('parseSettings()', () => {
  test('reads what the steerer needs', () => {
    expect(parseSettings(JSON.stringify(base), 'agent.json')).toEqual({
      node: [
        { family: 4, text: '172.16.104.54' },
        { family: 6, text: 'fd00::1' },
      ],
      role: 'control-plane',
      masters: [
        { family: 4, text: '172.16.104.54' },
        { family: 6, text: 'fd00::1' },
      ],
      endpoints: [{ family: 4, text: '172.16.105.26' }],
      port: 6443,
      apiServerPort: 6444,
      steer: true,
      device: 'eth0',
      uplinks: 'auto',
      kubeconfig: '/etc/kubernetes/kubelet.conf',
    });
  });

  test('reads every file that the schema takes', () =>
    fc.assert(
      fc.property(spoiled, (config) => {
        if (agentConfigSchema.safeParse(config).success) parseSettings(JSON.stringify(config), 'agent.json');
      }),
      { numRuns: 1000 },
    ));

  test('refuses a wrong value wherever the steerer would use it', () =>
    fc.assert(
      fc.property(spoiled, (config) => {
        let read: unknown;
        try {
          read = parseSettings(JSON.stringify(config), 'agent.json');
        } catch {
          return;
        }
        // Lengths of lists and names are the schema's business; what nft and ip are given is not.
        const { node, endpoint, apiServerPort, device, uplinks } = config as typeof base;
        expect([read, node.addresses, endpoint.port, apiServerPort, device, uplinks]).toEqual([
          read,
          expect.arrayContaining([]),
          expect.any(Number),
          expect.any(Number),
          expect.stringMatching(/^[\w.@-]{1,15}$/),
          uplinks === 'auto' ? 'auto' : expect.arrayContaining([]),
        ]);
      }),
      { numRuns: 1000 },
    ));

  test.each([
    { text: '{', is: '/etc/hairpin/agent.json is not JSON' },
    {
      text: '{"version":2}',
      is: '/etc/hairpin/agent.json: version: not 1, the only one that this version of hairpin reads',
    },
    {
      text: JSON.stringify({ ...base, endpoint: { ...base.endpoint, addresses: ['172.16.105.026'] } }),
      is: '/etc/hairpin/agent.json: endpoint.addresses: not a list of IP addresses in canonical form',
    },
  ])('$is', ({ text, is }) => {
    expect(() => parseSettings(text, '/etc/hairpin/agent.json')).toThrow(is);
  });
});
