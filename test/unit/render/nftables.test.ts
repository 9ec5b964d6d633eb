import { describe, expect, test } from 'vitest';
import { anyOf, originallyTo, toAddresses } from '../../../src/render/nftables/match.ts';
import { spreadDnat, spreadToChains } from '../../../src/render/nftables/spread.ts';
import { renderChainRules, renderTable, type Table } from '../../../src/render/nftables/table.ts';
import { address } from '../../../src/std/address.ts';

const backend = (text: string, weight = 1) => ({ target: { address: address(text), port: 6443 }, weight });

describe('spreadDnat()', () => {
  test.each([
    {
      name: 'one backend needs no map',
      family: 4,
      by: 'turn',
      to: [backend('10.0.0.1')],
      text: 'dnat to 10.0.0.1:6443',
    },
    {
      name: 'one IPv6 backend is in brackets',
      family: 6,
      by: 'turn',
      to: [backend('fd00::1')],
      text: 'dnat to [fd00::1]:6443',
    },
    {
      name: 'several backends in turn',
      family: 4,
      by: 'turn',
      to: [backend('10.0.0.1'), backend('10.0.0.2')],
      text: 'dnat ip to numgen inc mod 2 map { 0 : 10.0.0.1 . 6443, 1 : 10.0.0.2 . 6443 }',
    },
    {
      name: 'by source address, IPv6',
      family: 6,
      by: 'source',
      to: [backend('fd00::1'), backend('fd00::2')],
      text: 'dnat ip6 to jhash ip6 saddr mod 2 map { 0 : fd00::1 . 6443, 1 : fd00::2 . 6443 }',
    },
    {
      name: 'a weight of 0 takes a backend out',
      family: 4,
      by: 'turn',
      to: [backend('10.0.0.1', 0), backend('10.0.0.2')],
      text: 'dnat to 10.0.0.2:6443',
    },
    {
      name: 'the turns of a heavy backend lie between those of the others',
      family: 4,
      by: 'turn',
      to: [backend('10.0.0.1', 3), backend('10.0.0.2')],
      text: 'dnat ip to numgen inc mod 4 map { 0 : 10.0.0.1 . 6443, 1 : 10.0.0.2 . 6443, 2 : 10.0.0.1 . 6443, 3 : 10.0.0.1 . 6443 }',
    },
  ] as const)('$name', ({ family, by, to, text }) => {
    expect(spreadDnat(family, by, to)).toBe(text);
  });

  test('nothing to spread over is a mistake of the caller', () => {
    expect(() => spreadDnat(4, 'turn', [])).toThrow(RangeError);
    expect(() => spreadToChains(4, 'turn', [{ target: 'to-m1', weight: 0 }])).toThrow(RangeError);
  });
});

test('spreadToChains() jumps to a chain per target', () => {
  expect(
    spreadToChains(4, 'turn', [
      { target: 'to-m1', weight: 1 },
      { target: 'to-m2', weight: 1 },
    ]),
  ).toBe('numgen inc mod 2 vmap { 0 : goto to-m1, 1 : goto to-m2 }');
});

describe('matches', () => {
  test.each([
    {
      name: 'one address',
      text: toAddresses(4, [address('10.0.0.9')], 6443),
      want: 'ip daddr 10.0.0.9 tcp dport 6443',
    },
    {
      name: 'several addresses',
      text: toAddresses(6, [address('fd00::9'), address('fd00::a')], 443),
      want: 'ip6 daddr { fd00::9, fd00::a } tcp dport 443',
    },
    {
      name: 'flows by what was dialled',
      text: originallyTo(4, [address('10.0.0.9')]),
      want: 'ct original ip daddr 10.0.0.9',
    },
  ])('$name', ({ text, want }) => expect(text).toBe(want));

  test('anyOf() of nothing is a mistake of the caller', () => expect(() => anyOf([])).toThrow(RangeError));
});

describe('tables', () => {
  const table: Table = {
    family: 6,
    name: 't',
    counters: ['m1'],
    sets: [{ name: 'live', body: 'type ipv6_addr; flags timeout;' }],
    chains: [
      { name: 'plain', rules: ['accept'] },
      { name: 'base', hook: { type: 'nat', hook: 'output', priority: -100 }, rules: [] },
    ],
  };

  test('renderTable() can be applied over itself and deletes nothing', () => {
    expect(renderTable(table)).toBe(
      [
        'add table ip6 t',
        'flush table ip6 t',
        'table ip6 t {',
        '  counter m1 { }',
        '  set live { type ipv6_addr; flags timeout; }',
        '  chain plain {',
        '    accept',
        '  }',
        '  chain base {',
        '    type nat hook output priority -100; policy accept;',
        '  }',
        '}',
        '',
      ].join('\n'),
    );
  });

  test('renderChainRules() replaces the rules of the given chains only', () => {
    expect(
      renderChainRules(4, 't', [
        { name: 'a', rules: ['accept', 'drop'] },
        { name: 'b', rules: [] },
      ]),
    ).toBe('flush chain ip t a\nadd rule ip t a accept\nadd rule ip t a drop\nflush chain ip t b\n');
  });
});
