import { describe, expect, test } from 'vitest';
import { halfOpen, parseFlows, socketFilters, waitedForInVain } from '../../../../src/agent/steerer/flows.ts';
import { address } from '../../../../src/std/address.ts';

// Captured: `conntrack -L` of conntrack-tools 1.4.7; addresses of the lab.
const listing = `tcp      6 86399 ESTABLISHED src=10.64.0.11 dst=10.64.100.100 sport=41234 dport=6443 src=10.64.0.12 dst=10.64.0.11 sport=6443 dport=41234 [ASSURED] mark=0 use=1
tcp      6 103 TIME_WAIT src=10.244.1.2 dst=10.64.100.100 sport=5 dport=6443 src=10.64.0.12 dst=10.64.0.11 sport=6443 dport=61001 [ASSURED] mark=0 use=1
tcp      6 431999 ESTABLISHED src=fd64::11 dst=fd64::100 sport=41234 dport=6443 src=fd64::12 dst=fd64::11 sport=6443 dport=41234 [ASSURED] mark=0 use=1
udp      17 29 src=10.64.0.11 dst=10.64.0.2 sport=41000 dport=53 src=10.64.0.2 dst=10.64.0.11 sport=53 dport=41000 mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.
`;

describe('flows of conntrack', () => {
  test('are the original tuples of TCP lines', () => {
    expect(
      parseFlows(listing).map((f) => `${f.source.text} ${f.sourcePort} ${f.destination.text} ${f.destinationPort}`),
    ).toEqual([
      '10.64.0.11 41234 10.64.100.100 6443',
      '10.244.1.2 5 10.64.100.100 6443',
      'fd64::11 41234 fd64::100 6443',
    ]);
  });

  test('become filters that name sockets exactly', () => {
    expect(socketFilters(parseFlows(listing))).toEqual([
      'src 10.64.0.11 and dst 10.64.100.100 and dport = :6443 and ( sport = :41234 )',
      'src 10.244.1.2 and dst 10.64.100.100 and dport = :6443 and ( sport = :5 )',
      'src fd64::11 and dst fd64::100 and dport = :6443 and ( sport = :41234 )',
    ]);
  });

  test('are dealt out so that no filter is too long for the kernel', () => {
    const [flow] = parseFlows(listing);
    if (flow === undefined) throw new Error('no flow');
    const many = Array.from({ length: 1001 }, (_, i) => ({ ...flow, sourcePort: 10_000 + i }));
    expect(socketFilters(many, 400).map((filter) => filter.match(/sport/g)?.length)).toEqual([400, 400, 201]);
  });
});

describe('connections that are half open', () => {
  const endpoint = address('10.64.100.100');
  const [m1, m2, m3] = [address('10.64.0.11'), address('10.64.0.12'), address('10.64.0.13')];
  const v6 = address('fd64::12');
  const texts = (all: readonly (ReturnType<typeof address> | undefined)[]) => all.map((a) => a?.text);

  test('to a backend that is away are picked by the source of the answers they wait for', () => {
    expect(halfOpen(endpoint, 6443, m2).join(' ')).toBe(
      '--family ipv4 --proto tcp --orig-dst 10.64.100.100 --orig-port-dst 6443 --reply-src 10.64.0.12 --state SYN_SENT',
    );
    expect(halfOpen(address('fd64::100'), 6443, undefined).join(' ')).toBe(
      '--family ipv6 --proto tcp --orig-dst fd64::100 --orig-port-dst 6443 --state SYN_SENT',
    );
  });

  test.each([
    { name: 'from one that lives to another: nobody', to: { backends: [m3], away: [] }, want: [] },
    { name: 'from a dead one', to: { backends: [m3], away: [m2] }, want: [m2.text] },
    { name: 'of the other family', to: { backends: [m3], away: [m2, v6] }, want: [m2.text] },
    { name: 'late, and all there is', to: { backends: [m2], away: [m1, m2] }, want: [m1.text] },
    { name: 'to the balancer', to: { backends: [], away: [m1, m2, m3] }, want: [m1.text, m2.text, m3.text] },
    { name: 'an earlier prober, which does not say', to: { backends: [m3], away: undefined }, want: [undefined] },
  ])('$name', ({ to, want }) => {
    expect(texts(waitedForInVain(endpoint, to, false))).toEqual(want);
  });

  test('what waits for the balancer starts over when steering begins, and not when it stays off', () => {
    expect(texts(waitedForInVain(endpoint, { backends: [m3], away: [m2] }, true))).toEqual([m2.text, endpoint.text]);
    expect(texts(waitedForInVain(endpoint, { backends: [], away: [] }, true))).toEqual([]);
  });
});
