import { describe, expect, test } from 'vitest';
import type { Log } from '../../../src/agent/log/log.ts';
import type { Renewed } from '../../../src/agent/prober/renewal.ts';
import { deadMansSwitch } from '../../../src/agent/prober/switch.ts';

const silent: Log = { info() {}, warn() {}, error() {} };

/** What the switch does with its sockets, in order. */
function on({ mayRenew, is = 'renewed' }: { mayRenew: boolean; is?: 'renewed' | 'passed' }) {
  const done: string[] = [];
  const deadMan = deadMansSwitch({
    renewer: {
      async send(address, port): Promise<Renewed> {
        done.push(`send ${address} ${port}`);
        // A socket that is closed before its datagram is out sends nothing.
        await Promise.resolve();
        done.push(`sent ${address}`);
        return { is };
      },
      close: () => void done.push('close'),
    },
    mayRenew: () => mayRenew,
    endpoints: () => ['10.9.9.9', 'fd00::9'],
    port: () => 6443,
    gone: () => void done.push('gone'),
    told: () => undefined,
    log: silent,
    now: () => 1000,
  });
  return { done, deadMan };
}

const round = ['send 10.9.9.9 6443', 'sent 10.9.9.9', 'send fd00::9 6443', 'sent fd00::9'];

describe('the end of a prober', () => {
  test('renews every endpoint once more, then closes: a successor has the full three seconds', async () => {
    const { done, deadMan } = on({ mayRenew: true });
    await deadMan.close();
    expect(done).toEqual([...round, 'close']);
  });

  test('renews nothing when the table must not live on', async () => {
    const { done, deadMan } = on({ mayRenew: false });
    await deadMan.close();
    expect(done).toEqual(['close']);
  });
});

test('a datagram that is not taken says that the table has to be looked at', async () => {
  const { done, deadMan } = on({ mayRenew: true, is: 'passed' });
  await deadMan.renew();
  expect(done).toEqual([...round.slice(0, 2), 'gone', ...round.slice(2), 'gone']);
  expect(deadMan.state()).toEqual({
    renewing: true,
    renewedAt: undefined,
    problem: 'a renewing datagram to fd00::9 was not taken: the steering table is gone or changed',
  });
});
