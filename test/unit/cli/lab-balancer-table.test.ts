import { expect, test } from 'vitest';
import { formatBalancerStatus } from '../../../src/cli/commands/lab-balancer-table.ts';
import type { BalancerStatus } from '../../../src/index.ts';

const now = 1_000_000;
const status: BalancerStatus = {
  behaviour: 'drop',
  network: 'routed',
  endpoint: { addresses: ['172.16.105.26'], port: 6443 },
  scheduling: 'round-robin',
  healthCheck: { protocol: 'https', path: '/readyz', intervalMs: 2_000, timeoutMs: 5_000, rise: 3, fall: 3 },
  probeSources: ['100.64.0.10'],
  ejectedFlows: 'drain',
  drainMs: 30_000,
  allDown: 'refuse',
  power: 'on',
  checks: 'paused',
  failOpen: false,
  backends: [
    {
      name: 'm1',
      health: 'healthy',
      forced: undefined,
      weight: 1,
      addresses: ['172.16.104.54'],
      port: 6443,
      inRotation: true,
      since: now - 61_000,
      lastCheck: { at: now - 500, passed: true, ms: 3.2, problem: undefined },
      connections: 120,
      flows: 7,
    },
    {
      name: 'm2',
      health: 'unhealthy',
      forced: 'out',
      weight: 2,
      addresses: ['172.16.104.55', 'fd00::55'],
      port: 6443,
      inRotation: false,
      since: now - 900,
      lastCheck: { at: now - 100, passed: false, ms: 5_000, problem: 'no answer within 5000 ms' },
      connections: 1,
      flows: 0,
    },
    {
      name: 'm3',
      health: 'initial',
      forced: undefined,
      weight: 1,
      addresses: ['172.16.104.56'],
      port: 6443,
      inRotation: false,
      since: now,
      lastCheck: undefined,
      connections: 0,
      flows: 0,
    },
  ],
  history: [{ at: now - 900, backend: 'm2', to: 'out', why: 'health check: no answer within 5000 ms' }],
};

test('formatBalancerStatus() says how the balancer is set, who gets connections, and what happened', () => {
  expect(formatBalancerStatus(status, now).split('\n')).toEqual([
    'endpoint  172.16.105.26 port 6443',
    'behaves   drop on a routed network, round-robin',
    'checks    https /readyz every 2.0 s, timeout 5.0 s, in after 3, out after 3, from 100.64.0.10',
    'ejected   flows of an ejected backend are reset after 30.0 s; when all are out, refuse',
    'note      health checks are paused',
    '',
    '  backend  address                             health     for       gets new                last check                       connections  flows',
    '  m1       172.16.104.54:6443                  healthy    1 m 01 s  yes                     passed, 3 ms                     120          7',
    '  m2       172.16.104.55:6443 [fd00::55]:6443  unhealthy  900 ms    no, by hand (weight 2)  no answer within 5000 ms, 5.0 s  1            0',
    '  m3       172.16.104.56:6443                  initial    0 ms      no                      –                                0            0',
    '',
    'last changes',
    '  900 ms ago  m2 out: health check: no answer within 5000 ms',
  ]);
});

test('formatBalancerStatus() says when nobody gets connections, or everybody, or the balancer is off', () => {
  const notes = (change: Partial<BalancerStatus>) =>
    formatBalancerStatus({ ...status, checks: 'running', ...change }, now)
      .split('\n')
      .filter((line) => line.startsWith('note'));
  const out = status.backends.map((b) => ({ ...b, inRotation: false }));
  expect([
    notes({}),
    notes({ backends: out }),
    notes({ failOpen: true, backends: out.map((b) => ({ ...b, inRotation: true })) }),
    notes({ power: 'off' }),
  ]).toEqual([
    [],
    ['note      no backend is healthy: new connections are refused'],
    ['note      no backend is healthy: new connections go to all of them'],
    ['note      the balancer is off: it swallows every packet'],
  ]);
});
