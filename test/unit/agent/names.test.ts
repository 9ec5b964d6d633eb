import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Answers,
  addressesOf,
  askMaxMs,
  askMinMs,
  keepMs,
  type Names,
  noNames,
  resolved,
} from '../../../src/agent/dns/names.ts';
import { parseAddress, unreachableKind } from '../../../src/std/address.ts';

const forbidden = new Set(['10.0.0.1']);
const v4 = (...addresses: string[]) => addresses.map((address) => ({ address, ttl: 30 }));

function ask(story: readonly { at: number; answers: Answers }[]): { names: Names; refused: readonly string[] } {
  let names = noNames;
  let refused: readonly string[] = [];
  for (const { at, answers } of story) ({ names, refused } = resolved(names, answers, { at, forbidden }));
  return { names, refused };
}

describe('the addresses of a name', () => {
  test('all answers of both families, until the shortest TTL', () => {
    const { names } = ask([
      { at: 1000, answers: { v4: v4('10.1.0.2', '10.1.0.1'), v6: [{ address: 'FD00::1', ttl: 20 }] } },
    ]);
    expect([addressesOf(names), names.askAgainAt]).toEqual([['10.1.0.1', '10.1.0.2', 'fd00::1'], 21_000]);
  });

  test('one that is not given any more is kept for ten minutes', () => {
    const first = { at: 0, answers: { v4: v4('10.1.0.1'), v6: [] } };
    const then = (at: number) => ({ at, answers: { v4: v4('10.1.0.2'), v6: [] } });
    expect(addressesOf(ask([first, then(30_000)]).names)).toEqual(['10.1.0.1', '10.1.0.2']);
    expect(addressesOf(ask([first, then(keepMs - 1)]).names)).toEqual(['10.1.0.1', '10.1.0.2']);
    expect(addressesOf(ask([first, then(keepMs)]).names)).toEqual(['10.1.0.2']);
  });

  test('a failure keeps what is known, however long it lasts, and is asked again soon', () => {
    const failed = (at: number) => ({ at, answers: { v4: undefined, v6: undefined } });
    const { names } = ask([{ at: 0, answers: { v4: v4('10.1.0.1'), v6: [] } }, failed(keepMs), failed(10 * keepMs)]);
    expect([addressesOf(names), names.askAgainAt]).toEqual([['10.1.0.1'], 10 * keepMs + askMinMs]);
  });

  test('a node, loopback and nonsense are never steered, and it is said', () => {
    const { names, refused } = ask([{ at: 0, answers: { v4: v4('10.0.0.1', '127.0.0.1', 'x'), v6: [] } }]);
    expect([addressesOf(names), refused]).toEqual([
      [],
      ['10.0.0.1 is the address of a node', '"127.0.0.1" is a loopback address', '"x" is not an IP address'],
    ]);
  });

  test('whatever is answered: canonical addresses, few, and asked again between five seconds and five minutes later', () => {
    const answer = fc.record({
      address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('10.0.0.1', '::1', '0.0.0.0')),
      ttl: fc.oneof(fc.integer({ min: -5, max: 1_000_000 }), fc.constantFrom(0, Number.NaN, Number.POSITIVE_INFINITY)),
    });
    const answers = fc.option(fc.array(answer, { maxLength: 100 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.record({ gap: fc.nat(1_000_000), v4: answers, v6: answers })), (story) => {
        let at = 0;
        let names = noNames;
        for (const { gap, v4, v6 } of story) {
          at += gap;
          ({ names } = resolved(names, { v4, v6 }, { at, forbidden }));
          expect(names.addresses.size).toBeLessThanOrEqual(16);
          expect(names.askAgainAt - at).toBeGreaterThanOrEqual(askMinMs);
          expect(names.askAgainAt - at).toBeLessThanOrEqual(askMaxMs);
          for (const text of addressesOf(names)) {
            const parsed = parseAddress(text);
            expect(parsed?.text).toBe(text);
            expect(parsed === undefined ? 'none' : unreachableKind(parsed)).toBe(undefined);
            expect(text).not.toBe('10.0.0.1');
          }
        }
      }),
    );
  });
});
