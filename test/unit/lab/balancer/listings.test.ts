import { expect, test } from 'vitest';
import { establishedByBackend } from '../../../../src/lab/balancer/conntrack-list.ts';
import { parseShowStat } from '../../../../src/lab/balancer/haproxy-stat.ts';
import { address } from '../../../../src/std/address.ts';

test('establishedByBackend() counts by the source of the reply, established flows only', () => {
  // `conntrack -L -p tcp --orig-dst 172.16.105.26` (conntrack 1.4.7) in a lab with behaviours `works` and `drop`.
  const listing = [
    'tcp      6 899 ESTABLISHED src=172.16.200.10 dst=172.16.105.26 sport=47054 dport=6443 src=172.16.104.54 dst=172.16.104.2 sport=6443 dport=47054 [ASSURED] mark=0 use=1',
    'tcp      6 431 ESTABLISHED src=172.16.104.57 dst=172.16.105.26 sport=40000 dport=6443 src=172.16.104.54 dst=172.16.104.57 sport=6443 dport=40000 [ASSURED] mark=0 use=1',
    'tcp      6 55 SYN_SENT src=172.16.104.54 dst=172.16.105.26 sport=40001 dport=6443 [UNREPLIED] src=172.16.104.54 dst=172.16.104.54 sport=6443 dport=40001 mark=0 use=1',
    'tcp      6 899 ESTABLISHED src=172.16.200.10 dst=172.16.105.26 sport=47055 dport=6443 src=172.16.104.55 dst=172.16.104.2 sport=6443 dport=47055 [ASSURED] mark=0 use=1',
    'tcp      6 899 ESTABLISHED src=172.16.200.10 dst=172.16.105.26 sport=47056 dport=6443 src=172.16.104.99 dst=172.16.104.2 sport=6443 dport=47056 [ASSURED] mark=0 use=1',
    'tcp      6 119 TIME_WAIT src=172.16.200.10 dst=172.16.105.26 sport=47057 dport=6443 src=172.16.104.55 dst=172.16.104.2 sport=6443 dport=47057 [ASSURED] mark=0 use=1',
    '',
  ].join('\n');
  const backends = ['172.16.104.54', '172.16.104.55'].map((text, i) => ({
    name: `m${i + 1}`,
    addresses: [address(text)],
    port: 6443,
  }));
  expect([...establishedByBackend(listing, backends)]).toEqual([
    ['m1', 2],
    ['m2', 1],
  ]);
});

test('parseShowStat() gives the servers', () => {
  // The columns that are read, of haproxy 2.6.12.
  const csv = [
    '# pxname,svname,scur,stot,status,check_status,check_duration,',
    'endpoint,FRONTEND,2,30,OPEN,,,',
    'apiservers,m1,1,10,UP,L7OK,2,',
    'apiservers,m2,0,7,DOWN 1/2,* L4TOUT,200,',
    'apiservers,m3,0,0,MAINT,,,',
    'apiservers,BACKEND,1,30,UP,,,',
    '',
  ].join('\n');
  expect(parseShowStat(csv)).toEqual([
    { backend: 'apiservers', server: 'm1', status: 'UP', connections: 10, flows: 1, check: 'L7OK', checkMs: 2 },
    {
      backend: 'apiservers',
      server: 'm2',
      status: 'DOWN 1/2',
      connections: 7,
      flows: 0,
      check: 'L4TOUT',
      checkMs: 200,
    },
    { backend: 'apiservers', server: 'm3', status: 'MAINT', connections: 0, flows: 0, check: '', checkMs: 0 },
  ]);
});
