import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentConfig } from '../../../src/agent/config/config.ts';
import { readEndpoints } from '../../../src/agent/membership/endpoints.ts';
import {
  announced,
  dropAfterMs,
  type Membership,
  members,
  mostCountedMs,
  nobodySeen,
  readMembership,
  writeMembership,
} from '../../../src/agent/membership/membership.ts';
import { parseAddress, unreachableKind } from '../../../src/std/address.ts';

const limits = { apiServerPort: 6443, endpoints: ['10.9.9.9'] };
const endpoints = (ips: readonly string[], port = 6443) =>
  JSON.stringify({
    kind: 'Endpoints',
    apiVersion: 'v1',
    metadata: { name: 'kubernetes', namespace: 'default' },
    subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  });

describe('readEndpoints()', () => {
  test.each([
    {
      name: 'three masters',
      body: endpoints(['10.0.0.3', '10.0.0.1', '10.0.0.2']),
      want: { addresses: ['10.0.0.1', '10.0.0.2', '10.0.0.3'], problems: [] },
    },
    {
      name: 'IPv6 in another notation',
      body: endpoints(['FD00:0::1']),
      want: { addresses: ['fd00::1'], problems: [] },
    },
    {
      name: 'nobody, as before the first lease',
      body: JSON.stringify({ kind: 'Endpoints', subsets: null }),
      want: { addresses: [], problems: [] },
    },
    {
      name: 'what must not become a backend',
      body: endpoints(['127.0.0.1', '10.9.9.9', '10.0.0.1', 'm1; reboot\u001b', '169.254.1.1', '10.0.0.1']),
      want: {
        addresses: ['10.0.0.1'],
        problems: [
          '127.0.0.1 is a loopback address',
          '10.9.9.9 is the endpoint itself',
          '"m1; reboot\\u001b" is not an IP address',
          '169.254.1.1 is a link-local address',
        ],
      },
    },
    {
      name: 'another port than the one that is probed',
      body: endpoints(['10.0.0.1'], 8443),
      want: { addresses: [], problems: ['1 addresses serve port 8443, not 6443'] },
    },
    {
      name: 'an EndpointSlice, with one that is going',
      body: JSON.stringify({
        kind: 'EndpointSlice',
        endpoints: [
          { addresses: ['10.0.0.1'], conditions: { ready: true } },
          { addresses: ['10.0.0.2'], conditions: { ready: false } },
          { addresses: ['10.0.0.3'] },
        ],
        ports: [{ name: 'https', port: 6443 }],
      }),
      want: { addresses: ['10.0.0.1', '10.0.0.3'], problems: [] },
    },
    { name: 'no JSON', body: '<html>', want: { problem: 'the answer is not JSON' } },
    {
      name: 'another object',
      body: '{"kind":"Status","code":403}',
      want: { problem: 'the answer is neither an Endpoints nor an EndpointSlice object' },
    },
  ])('$name', ({ body, want }) => {
    expect(readEndpoints(body, limits)).toEqual(want);
  });

  test('whatever is announced, only addresses that a machine can have come out, and not many', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc
            .record({
              kind: fc.constantFrom('Endpoints', 'EndpointSlice'),
              subsets: fc.option(
                fc.array(
                  fc.record(
                    {
                      addresses: fc.array(fc.record({ ip: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()) }), {
                        maxLength: 200,
                      }),
                      ports: fc.array(fc.record({ port: fc.oneof(fc.constant(6443), fc.anything()) })),
                    },
                    { requiredKeys: [] },
                  ),
                ),
              ),
              endpoints: fc.array(fc.record({ addresses: fc.array(fc.oneof(fc.ipV4(), fc.string())) })),
              ports: fc.constant([{ port: 6443 }]),
            })
            .map((value) => JSON.stringify(value)),
        ),
        (body) => {
          const read = readEndpoints(body, limits);
          if ('problem' in read) return;
          expect(read.addresses.length).toBeLessThanOrEqual(64);
          expect(read.problems.length).toBeLessThanOrEqual(64);
          expect(read.problems.join('')).toMatch(/^[ -~]*$/);
          for (const text of read.addresses) {
            const parsed = parseAddress(text);
            expect(parsed?.text).toBe(text);
            expect(parsed === undefined ? 'none' : unreachableKind(parsed)).toBe(undefined);
            expect(limits.endpoints).not.toContain(text);
          }
        },
      ),
      { numRuns: 500 },
    ));
});

const config = (masters: AgentConfig['masters']): AgentConfig => ({
  version: 1,
  node: { name: 'm1', addresses: ['10.0.0.1'], role: 'control-plane' },
  endpoint: { host: '10.9.9.9', addresses: ['10.9.9.9'], port: 6443 },
  apiServerPort: 6443,
  masters,
  steer: true,
  device: 'eth0',
  uplinks: 'auto',
  ca: ['/ca.crt'],
});
const three = config([
  { name: 'm1', addresses: ['10.0.0.1'] },
  { name: 'm2', addresses: ['10.0.0.2'] },
  { name: 'm3', addresses: ['10.0.0.3', 'fd00::3'] },
]);
const who = (membership: Membership, of = three) =>
  members(membership, of).map(({ name, self, from }) => `${name}${self ? ' self' : ''} ${from}`);
const poll = (from: Membership, addresses: readonly string[], times = 1, of = three) => {
  let membership = from;
  for (let i = 0; i < times; i += 1) {
    membership = announced(membership, addresses, { elapsedMs: mostCountedMs, config: of });
  }
  return membership;
};
const day = dropAfterMs / mostCountedMs;
const all = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];

describe('membership', () => {
  test('before anybody answers, the configuration says who there is', () => {
    expect(who(nobodySeen)).toEqual(['m1 self config', 'm2 config', 'm3 config']);
  });

  test('one that is added by hand is known by its address', () => {
    expect(who(poll(nobodySeen, [...all, '10.0.0.4']))).toEqual([
      'm1 self config',
      'm2 config',
      'm3 config',
      '10.0.0.4 cluster',
    ]);
  });

  test('one that is absent is down, not gone, for a day', () => {
    const seen = poll(nobodySeen, [...all, '10.0.0.4']);
    const almost = poll(seen, ['10.0.0.1'], day - 1);
    expect(who(almost)).toEqual(['m1 self config', 'm2 config', 'm3 config', '10.0.0.4 cluster']);
    expect(who(poll(almost, ['10.0.0.1']))).toEqual(['m1 self config']);
    expect(who(poll(poll(almost, ['10.0.0.1'], 10), all))).toEqual(['m1 self config', 'm2 config', 'm3 config']);
  });

  test('one that was configured and is not any more goes when it is absent, and not before', () => {
    const seen = poll(nobodySeen, all);
    const two = config(three.masters.slice(0, 2));
    expect(who(poll(seen, all, 1, two), two)).toEqual(['m1 self config', 'm2 config', '10.0.0.3 cluster']);
    expect(who(poll(seen, all.slice(0, 2), 1, two), two)).toEqual(['m1 self config', 'm2 config']);
  });

  test('a cluster that announces nobody says nothing', () => {
    const seen = poll(nobodySeen, all);
    expect(poll(seen, [], 10 * day)).toBe(seen);
  });

  test('a pause between answers, however long, counts for a minute', () => {
    const seen = poll(nobodySeen, [...all, '10.0.0.4']);
    const later = announced(seen, all, { elapsedMs: 30 * 86_400_000, config: three });
    expect(later.seen.get('10.0.0.4')).toEqual({ absentMs: mostCountedMs, configured: false });
    expect(announced(seen, all, { elapsedMs: -5, config: three }).seen.get('10.0.0.4')?.absentMs).toBe(0);
  });

  test('what is written is read again; anything else is refused', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.ipV4(), fc.nat(), fc.boolean()), { maxLength: 30 }),
        fc.nat(200),
        fc.string({ minLength: 1, maxLength: 3 }),
        (entries, at, noise) => {
          const seen = new Map(entries.map(([address, absentMs, configured]) => [address, { absentMs, configured }]));
          const text = writeMembership({ seen });
          expect(readMembership(text)).toEqual({ seen });
          const damaged = readMembership(text.slice(0, at) + noise + text.slice(at + 1));
          for (const address of damaged?.seen.keys() ?? []) expect(parseAddress(address)?.text).toBe(address);
          expect(readMembership(text.slice(0, -3))).toBe(undefined);
        },
      ),
    ));

  test('a year of other addresses each time does not make it grow, and never drops those who are announced', () => {
    let membership: Membership = nobodySeen;
    for (let i = 0; i < 20_000; i += 1) {
      const strangers = Array.from(
        { length: 40 },
        (_, k) => `10.${1 + (i % 200)}.${Math.floor(i / 200) % 250}.${k + 1}`,
      );
      membership = announced(membership, [...all, ...strangers], { elapsedMs: 5000, config: three });
      if (i % 1000 === 0) expect(who(membership).slice(0, 3)).toEqual(['m1 self config', 'm2 config', 'm3 config']);
    }
    expect(membership.seen.size).toBeLessThanOrEqual(256);
  });
});
