import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxPodsLine, parsePodsRequest, printPodsRequest } from '../../../src/agent/pods/request.ts';
import { type Address, parseAddress } from '../../../src/std/address.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const parsed = (text: string) => parseAddress(text) as Address;
const addresses = fc.oneof(
  fc.tuple(fc.ipV4().map(parsed), fc.ipV4().map(parsed)),
  fc.tuple(fc.ipV6().map(parsed), fc.ipV6().map(parsed)),
);
const flow = fc.tuple(addresses, port, port).map(([[source, destination], sourcePort, destinationPort]) => ({
  source,
  sourcePort,
  destination,
  destinationPort,
}));

describe('words between the steerer and the pods process', () => {
  test('are read as they were said, and the longest fits into a line', () =>
    fc.assert(
      fc.property(fc.array(flow, { maxLength: 400 }), (flows) => {
        const line = printPodsRequest({ op: 'close', flows });
        expect(line.length).toBeLessThan(maxPodsLine);
        expect(parsePodsRequest(line)).toEqual({ op: 'close', flows });
      }),
      { numRuns: 50 },
    ));

  test('any JSON gives a request of addresses and ports, or a reason', () =>
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (line) => {
        const request = parsePodsRequest(line);
        expect(typeof request === 'string' || request.op === 'close').toBe(true);
      }),
    ));

  test.each([
    {
      line: '{"op":"close","flows":[["10.0.0.1",1,"10.0.0.2",65536]]}',
      is: 'flows: not all are [source, port, destination, port]',
    },
    {
      line: '{"op":"close","flows":[["10.0.0.1",1,"fd00::1",6443]]}',
      is: 'flows: not all are [source, port, destination, port]',
    },
    {
      line: '{"op":"close","flows":[["10.0.0.1 or dst 10.0.0.0/8",1,"10.0.0.2",1]]}',
      is: 'flows: not all are [source, port, destination, port]',
    },
    { line: '{"op":"exec","flows":[]}', is: 'op: not one that is known' },
    { line: 'null', is: 'not an object' },
  ])('$line', ({ line, is }) => {
    expect(parsePodsRequest(line)).toBe(is);
  });
});
