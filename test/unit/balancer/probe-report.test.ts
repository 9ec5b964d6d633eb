import { describe, expect, test } from 'vitest';
import { classify } from '../../../src/balancer/probe/classify.ts';
import { clientHello } from '../../../src/balancer/probe/client-hello.ts';
import { countingRules, parseCounted } from '../../../src/balancer/probe/counting-rules.ts';
import { describeProbe } from '../../../src/balancer/probe/describe.ts';
import { parseDial } from '../../../src/balancer/probe/dial.ts';
import type { ProbeObservation, Try } from '../../../src/balancer/probe/observation.ts';
import { address } from '../../../src/std/address.ts';

const plain = { green: (text: string) => text, red: (text: string) => text, yellow: (text: string) => text };

function dropped(self: string): readonly Try[] {
  const one = (outcome: Try['outcome'], returned: boolean): Try => ({
    outcome,
    ms: 1,
    left: true,
    returned,
    stray: false,
  });
  const others = ['m1', 'm2', 'm3'].filter((name) => name !== self);
  return [
    ...others.flatMap((by) =>
      Array.from({ length: 10 }, () => one({ is: 'banner', by, peer: '172.16.104.54' }, false)),
    ),
    ...(self.startsWith('m') ? Array.from({ length: 10 }, () => one({ is: 'timeout' }, true)) : []),
  ];
}

const observation: ProbeObservation = {
  endpoint: { host: '172.16.105.26', port: 6443, domain: undefined },
  dialled: [address('172.16.105.26')],
  backendPort: 6443,
  served: 'real',
  clients: ['m1', 'm2', 'm3', 'w1'].map((node) => ({
    node,
    role: node === 'w1' ? 'worker' : 'control-plane',
    failed: undefined,
    lookup: undefined,
    lookupFromHosts: false,
    route: 'unicast',
    counting: true,
    tries: dropped(node),
  })),
  backends: ['m1', 'm2', 'm3'].map((node) => ({
    node,
    listening: true,
    certificate: undefined,
    checksSeen: 3,
    arrivedAt: [6443],
    outsideAt: [6443],
  })),
};

const report = { at: '2026-11-23T22:00:00.000Z', ms: 4000, observation, verdict: classify(observation) };

describe('describeProbe()', () => {
  test('says what was measured, what it means and what to do', () => {
    expect(describeProbe(report, { columns: 160, paint: plain })).toBe(
      `endpoint 172.16.105.26:6443   3 masters · 1 worker · 30 tries each

  node   class   answered   what happened
  m1     drop    20 of 30   10 came back to m1 with source = destination and were dropped by its kernel (counted)
  m2     drop    20 of 30   the same, 10
  m3     drop    20 of 30   the same, 10
  w1     works   30 of 30   all answered

The balancer keeps the client’s address and sends a master’s own packets back to it (class A: Alibaba CLB, Azure ILB, AWS NLB, …).
Until this is handled each master loses 1 connection in 3, and a first master alone loses all.
→ strategy steer fits; bind-vip and hosts fit but lose a master whose own apiserver stops.  hairpin plan --strategy steer
`,
    );
  });

  test('cuts the table at the width of the terminal instead of wrapping it', () => {
    const lines = describeProbe(report, { columns: 80, paint: plain }).split('\n').slice(2, 7);
    expect(lines.map((line) => line.length <= 80)).toEqual([true, true, true, true, true]);
    expect(lines[1]).toBe('  m1     drop    20 of 30   10 came back to m1 with source = destination and we…');
  });

  test('a problem has its code and its hint', () => {
    const silent: ProbeObservation = {
      ...observation,
      clients: observation.clients.map((client) => ({
        ...client,
        tries: client.tries.map((one) => ({ ...one, outcome: { is: 'timeout' }, returned: false })),
      })),
      backends: observation.backends.map((backend) => ({ ...backend, checksSeen: 0, arrivedAt: [], outsideAt: [] })),
    };
    const text = describeProbe(
      { ...report, observation: silent, verdict: classify(silent) },
      { columns: 120, paint: plain },
    );
    expect(text.split('\n').slice(8)).toEqual([
      'What the balancer does with its own backends could not be determined.',
      '',
      '! No master ever heard from the balancer on port 6443   NO_HEALTHY_BACKEND',
      '  hint: are the masters its backends, on port 6443, and do their security groups let its health checks in?',
      '',
    ]);
  });
});

describe('countingRules()', () => {
  const rules = (own: string[], nodes: string[], dialled: string[]) =>
    countingRules({
      table: 'hairpin_probe_1',
      own: own.map(address),
      nodes: nodes.map(address),
      dialled: dialled.map(address),
      firstPort: 20_000,
      lastPort: 20_029,
    });

  test('IPv4 only, whole', () => {
    expect(rules(['10.0.0.1'], ['10.0.0.1', '10.0.0.2'], ['10.0.0.9'])).toBe(`table inet hairpin_probe_1 {
  set returned { type inet_service; flags dynamic; size 4096; }
  set stray { type inet_service; flags dynamic; size 4096; }
  set arrived { type inet_service; flags dynamic; size 4096; }
  set outside { type inet_service; flags dynamic; size 4096; }
  set left { type inet_service; flags dynamic; size 4096; }
  chain pre {
    type filter hook prerouting priority -350; policy accept;
    iifname != "lo" tcp flags & (syn | ack) == syn tcp sport 20000-20029 ip saddr { 10.0.0.1 } ip daddr { 10.0.0.1 } add @returned { tcp sport }
    iifname != "lo" tcp flags & (syn | ack) == syn tcp sport 20000-20029 ip saddr { 10.0.0.1 } ip daddr { 10.0.0.1 } add @arrived { tcp dport }
    iifname != "lo" tcp flags & (syn | ack) == (syn | ack) tcp dport 20000-20029 ip saddr { 10.0.0.2 } add @stray { tcp dport }
    iifname != "lo" tcp flags & (syn | ack) == syn tcp sport 20000-20029 ip saddr { 10.0.0.2 } add @arrived { tcp dport }
    iifname != "lo" tcp flags & (syn | ack) == syn ip saddr != { 10.0.0.1, 10.0.0.2 } add @outside { tcp dport }
  }
  chain post {
    type filter hook postrouting priority 300; policy accept;
    oifname != "lo" tcp flags & (syn | ack) == syn tcp sport 20000-20029 ip daddr { 10.0.0.9 } add @left { tcp sport }
  }
}
`);
  });

  test('each family has rules of its own, and one without nodes has none', () => {
    const six = rules(['fd00::1'], ['fd00::1'], ['fd00::9']).split('\n');
    expect(six.filter((line) => / ip (?:saddr|daddr)/.test(line))).toEqual([]);
    expect(six.filter((line) => / ip6 (?:saddr|daddr)/.test(line))).toHaveLength(4);
  });
});

describe('parsers of the probe', () => {
  test('parseCounted() reads elements with and without more to them', () => {
    const text = JSON.stringify({
      nftables: [
        { metainfo: {} },
        { set: { name: 'returned', elem: [20_001, { elem: { val: 20_002, expires: 5 } }] } },
        { set: { name: 'left' } },
      ],
    });
    const { returned, left, stray } = parseCounted(text);
    expect([[...returned], [...left], [...stray]]).toEqual([[20_001, 20_002], [], []]);
  });

  test('parseDial() reads every outcome', () => {
    const text = `cert 0 3000
try 20000 banner 10 m2 172.16.104.2 40000
try 20001 tls 20 0
try 20002 tls 20 -
try 20003 data 5 485454502f312e31
try 20004 timeout 2500 -
try 20005 refused 0 -
try 20006 unreachable 0 113
`;
    expect(parseDial(text).map((one) => one.outcome)).toEqual([
      { is: 'banner', by: 'm2', peer: '172.16.104.2' },
      { is: 'tls', certificate: 'e4f60d0aa6d7f3d3b6a6494b1c861b99f649c6f9ec51abaf201b20f297327c95' },
      { is: 'tls', certificate: undefined },
      { is: 'data', text: 'HTTP/1.1' },
      { is: 'timeout' },
      { is: 'refused' },
      { is: 'unreachable', errno: 113 },
    ]);
    expect(() => parseDial('try 1 vanished 0 -\n')).toThrow('not an outcome of the probe: vanished');
  });

  test('clientHello() is one TLS record that says its own length and carries the name', () => {
    const hello = clientHello(new Uint8Array(32).fill(7));
    expect(hello.subarray(0, 3)).toEqual(Buffer.from([0x16, 3, 1]));
    expect(hello.readUInt16BE(3)).toBe(hello.length - 5);
    expect(hello.readUIntBE(6, 3)).toBe(hello.length - 9);
    expect(hello.includes('hairpin-probe.invalid')).toBe(true);
  });
});
