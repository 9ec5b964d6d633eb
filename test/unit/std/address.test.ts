import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  address,
  addressAfter,
  addressAt,
  cidr,
  cidrContains,
  cidrSize,
  cidrsOverlap,
  formatCidr,
  formatHostPort,
  networkOf,
  parseAddress,
  parseCidr,
  unreachableKind,
} from '../../../src/std/address.ts';

describe('parseAddress()', () => {
  test.each([
    { name: 'IPv4', text: '172.16.105.26', parsed: { family: 4, text: '172.16.105.26' } },
    { name: 'IPv6 in canonical form', text: 'FD00:0:0::1', parsed: { family: 6, text: 'fd00::1' } },
    { name: 'IPv4-mapped IPv6 stays IPv6', text: '::ffff:10.0.0.1', parsed: { family: 6, text: '::ffff:a00:1' } },
    { name: 'no octal or short forms', text: '10.1', parsed: undefined },
    { name: 'no leading zeros read as octal', text: '010.0.0.1', parsed: undefined },
    { name: 'no zone index', text: 'fe80::1%eth0', parsed: undefined },
    { name: 'no host name', text: 'api.prod.example', parsed: undefined },
    { name: 'no empty text', text: '', parsed: undefined },
  ])('$name', ({ text, parsed }) => {
    expect(parseAddress(text)).toEqual(parsed);
  });
});

describe('CIDR arithmetic', () => {
  const anyCidr = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([base, prefix]) => cidr(`${base}/${prefix}`)),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([base, prefix]) => cidr(`${base}/${prefix}`)),
  );

  test('a network contains its base and prints what it parses', () =>
    fc.assert(
      fc.property(anyCidr, (net) => {
        expect(cidrContains(net, net.base)).toBe(true);
        expect(parseCidr(formatCidr(net))).toEqual(net);
      }),
    ));

  test('overlap is symmetric, and two networks overlap exactly when one contains the base of the other', () =>
    fc.assert(
      fc.property(anyCidr, anyCidr, (a, b) => {
        expect(cidrsOverlap(a, b)).toBe(cidrsOverlap(b, a));
        expect(cidrsOverlap(a, b)).toBe(cidrContains(a, b.base) || cidrContains(b, a.base));
      }),
    ));

  test('addressAt() walks as addressAfter() does and stays inside', () =>
    fc.assert(
      fc.property(anyCidr, fc.nat(300), (net, offset) => {
        const width = net.base.family === 4 ? 32 : 128;
        if (BigInt(offset) >= 1n << BigInt(width - net.prefix)) {
          expect(() => addressAt(net, offset)).toThrow(RangeError);
        } else {
          expect(addressAt(net, offset)).toEqual(addressAfter(net.base, offset));
        }
      }),
    ));
});

test('formatHostPort() puts IPv6 in brackets', () => {
  expect(formatHostPort(address('fd00::1'), 6443)).toBe('[fd00::1]:6443');
  expect(formatHostPort('api.prod.example', 6443)).toBe('api.prod.example:6443');
});

describe('networks', () => {
  const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6()).map(address);

  test('networkOf() contains its address, is as long as asked and grows with shorter prefixes', () =>
    fc.assert(
      fc.property(anyAddress, fc.nat(128), fc.nat(128), (a, p, q) => {
        const width = a.family === 4 ? 32 : 128;
        const [short, long] = [Math.min(p, q), Math.max(p, q)].map((prefix) => networkOf(a, prefix % (width + 1)));
        if (short === undefined || long === undefined) throw new Error('two prefixes give two networks');
        expect(cidrContains(short, a) && cidrContains(long, a)).toBe(true);
        expect(parseCidr(formatCidr(short))).toEqual(short);
        expect(cidrContains(short.prefix <= long.prefix ? short : long, long.base)).toBe(true);
        expect(cidrSize(short) * (1n << BigInt(short.prefix))).toBe(1n << BigInt(width));
      }),
    ));

  test('an address belongs to exactly one of the two halves of a network that contains it', () =>
    fc.assert(
      fc.property(anyAddress, fc.nat(127), (a, p) => {
        const prefix = p % (a.family === 4 ? 32 : 128);
        const net = networkOf(a, prefix);
        const low = { base: net.base, prefix: prefix + 1 };
        const high = networkOf(addressAt(net, cidrSize(net) - 1n), prefix + 1);
        expect([low, high].filter((half) => cidrContains(half, a))).toHaveLength(1);
        expect(cidrsOverlap(low, high)).toBe(false);
      }),
    ));

  test.each([
    ['0.0.0.0', 'an address of "this network"'],
    ['127.1.2.3', 'a loopback address'],
    ['169.254.169.254', 'a link-local address'],
    ['239.1.1.1', 'a multicast address'],
    ['255.255.255.255', 'the broadcast address'],
    ['10.0.0.1', undefined],
    ['172.16.105.26', undefined],
    ['192.0.2.1', undefined],
    ['223.255.255.255', undefined],
    ['::', 'the unspecified address'],
    ['::1', 'a loopback address'],
    ['::ffff:10.0.0.1', 'an IPv4 address in IPv6 clothes'],
    ['fe80::1', 'a link-local address'],
    ['ff02::1', 'a multicast address'],
    ['fd00::1', undefined],
    ['2001:db8::1', undefined],
  ])('unreachableKind(%s) is %s', (text, kind) => {
    expect(unreachableKind(address(text))).toBe(kind);
  });
});
