import { expect, test } from 'vitest';
import { dial, flow, tally, untilInRotation, wireLab } from '../../support/balancer-lab.ts';
import { underSaturation } from '../../support/pressure.ts';
import { startSteering } from '../../support/steering.ts';

// The long form, five minutes, is in test/long/agent-saturated.test.ts.
test('with both cores taken and all apiservers well no flow is cut, and foreign listings are not slowed', async () => {
  expect(await underSaturation('steerer-busy', { forMs: 20_000 })).toEqual({ cut: [], resets: 0 });
});

test('with a connection tracking table that is full, transitions, new connections and resets work', async () => {
  const check = { protocol: 'https', intervalMs: 1_000, timeoutMs: 5_000, rise: 1, fall: 5 } as const;
  await using lab = await wireLab({
    name: 'steerer-full',
    masters: 3,
    workers: 0,
    ip: '4',
    balancer: { like: 'drop', healthCheck: check },
  });
  await untilInRotation(lab, ['m1', 'm2', 'm3']);
  await using it = await startSteering(lab, ['m2']);
  const open = flow(lab, 'm1', { forMs: 60_000 });
  expect(await open.machine()).toBe('m2');
  const max = Number((await lab.exec('m1', ['cat', '/proc/sys/net/netfilter/nf_conntrack_max'])).stdout);
  // Datagrams to ports of loopback where nobody listens: one entry each, and the kernel evicts such ones first.
  const fill = `
    const s = require('node:dgram').createSocket('udp4'); s.on('error', () => {});
    let n = 0;
    const go = () => { for (let i = 0; i < 500 && n < ${max}; i++, n++) s.send('', 1024 + (n % 60000), '127.0.0.' + (1 + Math.floor(n / 60000)), () => {});
      if (n < ${max}) setImmediate(go); else setTimeout(() => process.exit(0), 1000); };
    go();`;
  // Of this namespace: filling may take longer than the usual 30 s.
  await lab.exec('m1', ['sh', '-c', 'echo 600 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout']);
  await lab.exec('m1', [process.execPath, '-e', fill]);
  const { stdout } = await lab.exec('m1', ['conntrack', '-C']);
  expect(Number(stdout)).toBeGreaterThan(max * 0.9);
  const steered = await it.steer(['m3']);
  expect(steered).toMatchObject({ ok: true });
  expect(tally(await dial(lab, 'm1', { tries: 12, connectMs: 5000 }))).toBe('m3 12');
  const [m2 = ''] = it.of(['m2']);
  const reset = await it.agent.ask({ op: 'reset', backend: m2 });
  expect(reset).toMatchObject({ ok: true, node: 1 });
  expect((await open.end()).is).toBe('ECONNABORTED');
  console.log(`${stdout.trim()} of ${max} entries: transition`, steered, 'reset', reset);
});
