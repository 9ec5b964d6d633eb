import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseListing } from '../../../../src/agent/steerer/listing.ts';

// Captured from nft 1.0.6 on Linux 6.18: `nft -j list table ip hairpin`, with one element renewed.
const captured = readFileSync(new URL('../../../fixtures/agent/table.json', import.meta.url), 'utf8');

describe('parseListing()', () => {
  test('reads back what is in force', () => {
    const { fingerprint: _, chains, ...seen } = parseListing(captured);
    expect(seen).toEqual({
      sets: [
        { name: 'live', type: 'ipv4_addr . inet_service', size: 64 },
        { name: 'endpoints', type: 'ipv4_addr', size: undefined },
        { name: 'uplinks', type: 'ifname', size: undefined },
      ],
      endpoints: [{ family: 4, text: '10.9.9.9' }],
      uplinks: ['eth0'],
      live: [{ family: 4, text: '10.9.9.9' }],
      steering: {
        backends: [
          { family: 4, text: '10.0.0.1' },
          { family: 4, text: '10.0.0.2' },
        ],
        hold: true,
      },
      steered: 0,
      held: 0,
    });
    expect(chains.map(({ name, hook }) => `${name} ${hook}`.trim())).toEqual([
      'steer',
      'hold',
      'pin filter output -150',
      'renew filter output -300',
      'own nat output -100',
      'pods nat prerouting -100',
      'source nat postrouting 100',
      'refused-input filter input -10',
      'refused-forward filter forward -10',
      'refused-output filter output -10',
    ]);
  });

  test('counters, elements and transitions do not change the fingerprint, a missing rule does', () => {
    const changed = (change: (items: Record<string, Record<string, unknown>>[]) => unknown) => {
      const copy = JSON.parse(captured) as { nftables: Record<string, Record<string, unknown>>[] };
      const items = change(copy.nftables);
      return parseListing(JSON.stringify({ nftables: items })).fingerprint;
    };
    const { fingerprint } = parseListing(captured);
    const ruleOf = (chain: string) => (item: Record<string, Record<string, unknown>>) => item.rule?.chain === chain;
    expect(
      changed((items) =>
        items.map((item) => {
          if (ruleOf('pin')(item)) return JSON.parse(JSON.stringify(item).replace('"packets":0', '"packets":7'));
          if (item.set !== undefined) return { set: { ...item.set, elem: [] } };
          return item;
        }),
      ),
    ).toBe(fingerprint);
    expect(changed((items) => items.filter((item) => !ruleOf('steer')(item)))).toBe(fingerprint);
    for (const chain of ['pin', 'renew', 'own', 'pods', 'refused-input']) {
      expect(changed((items) => items.filter((item) => !ruleOf(chain)(item)))).not.toBe(fingerprint);
    }
  });

  test.each(['', '{}', '{"nftables":{}}', 'null'])('refuses %j', (text) => {
    expect(() => parseListing(text)).toThrow(SyntaxError);
  });
});
