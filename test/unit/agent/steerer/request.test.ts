import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { steererRequest } from '../../../../src/agent/steerer/protocol.ts';
import { maxRequestBytes, parseRequest } from '../../../../src/agent/steerer/request.ts';
import { parseAddress, unreachableKind } from '../../../../src/std/address.ts';

const ipv4 = fc.ipV4().map((text) => parseAddress(text)?.text ?? '');
const ipv6 = fc.ipV6().map((text) => parseAddress(text)?.text ?? '');
const anyAddress = fc.oneof(
  ipv4,
  ipv6,
  fc.constantFrom('127.0.0.1', '::1', 'fe80::1', '010.0.0.1', 'x', '', '10.0.0.1; drop'),
);
const anyList = fc.array(anyAddress, { maxLength: 70 });
const anyRequest = fc.oneof(
  fc.record({ op: fc.constant('ensure'), endpoints: anyList }),
  fc.record(
    {
      op: fc.constant('steer'),
      backends: anyList,
      hold: fc.oneof(fc.boolean(), fc.constant('yes')),
      away: fc.oneof(anyList, fc.constant('all')),
    },
    { requiredKeys: ['op', 'backends', 'hold'] },
  ),
  fc.record({ op: fc.constant('reset'), backend: anyAddress }),
  fc.record({ op: fc.constantFrom('credentials', 'status', 'reboot') }),
  fc.record({ op: fc.constant('status'), more: fc.anything() }),
  fc.jsonValue(),
);

/** What the schema cannot say: an address in canonical form that others can dial. */
const isDiallable = (text: string) => {
  const parsed = parseAddress(text);
  return parsed?.text === text && unreachableKind(parsed) === undefined;
};

describe('parseRequest()', () => {
  test('takes what the schema takes, when its addresses are addresses, and nothing else', () =>
    fc.assert(
      fc.property(anyRequest, (value) => {
        const line = JSON.stringify(value);
        const bySchema = steererRequest.safeParse(JSON.parse(line));
        const request = bySchema.success ? bySchema.data : undefined;
        const addresses =
          request?.op === 'ensure'
            ? request.endpoints
            : request?.op === 'steer'
              ? [...request.backends, ...(request.away ?? [])]
              : request?.op === 'reset'
                ? [request.backend]
                : [];
        const parsed = parseRequest(line);
        expect(typeof parsed === 'object').toBe(request !== undefined && addresses.every(isDiallable));
      }),
      { numRuns: 2000 },
    ));

  test('any bytes give an answer and never an exception', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (line) => {
        const parsed = parseRequest(line);
        expect(typeof parsed === 'string' || typeof parsed.op === 'string').toBe(true);
      }),
    ));

  test.each([
    { line: '', is: 'not a JSON object' },
    { line: '[]', is: 'not a JSON object' },
    { line: '{"op":"flush"}', is: 'op: not one that is known' },
    { line: '{"op":"steer","backends":["10.0.0.1"]}', is: 'hold: not a boolean' },
    {
      line: '{"op":"steer","backends":["10.0.0.1 ; flush ruleset"],"hold":true}',
      is: 'backends: not all are IP addresses in canonical form',
    },
    {
      line: '{"op":"steer","backends":[],"hold":true,"away":["10.0.0.1","all"]}',
      is: 'away: not all are IP addresses in canonical form',
    },
    { line: '{"op":"ensure","endpoints":["127.0.0.1"]}', is: 'endpoints: not all are IP addresses in canonical form' },
    { line: '{"op":"reset","backend":"fe80::1%eth0"}', is: 'backend: not an IP address in canonical form' },
    { line: '{"op":"status","__proto__":{"x":1}}', is: 'a word that is not known' },
    {
      line: `{"op":"ensure","endpoints":[${Array.from({ length: 65 }, (_, i) => `"10.0.0.${i}"`).join()}]}`,
      is: 'endpoints: more than 64',
    },
  ])('$is', ({ line, is }) => {
    expect(parseRequest(line)).toBe(is);
  });

  test('says an address once', () => {
    expect(parseRequest('{"op":"ensure","endpoints":["10.0.0.1","10.0.0.1"]}')).toEqual({
      op: 'ensure',
      endpoints: [{ family: 4, text: '10.0.0.1' }],
    });
  });

  test('the longest request fits into a line', () => {
    const longest = Array.from(
      { length: 64 },
      (_, i) => `2001:db8:1111:2222:3333:4444:5555:${(4096 + i).toString(16)}`,
    );
    const request = { op: 'steer', backends: longest, hold: false, away: longest };
    expect(JSON.stringify(request).length).toBeLessThan(maxRequestBytes);
  });
});
