import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  address,
  addressAfter,
  addressAt,
  cidr,
  cidrContains,
  cidrsOverlap,
  formatCidr,
  formatHostPort,
  parseAddress,
  parseCidr,
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
