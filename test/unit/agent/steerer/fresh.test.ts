import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Following, followFresh, followProgram, freshBackend } from '../../../../src/agent/steerer/fresh.ts';
import { address } from '../../../../src/std/address.ts';

const line = (to: string, from: string) =>
  `    [NEW] tcp      6 120 SYN_SENT src=10.0.0.4 dst=${to} sport=47110 dport=6443 [UNREPLIED] src=${from} dst=10.0.0.4 sport=6443 dport=47110`;

describe('freshBackend()', () => {
  test.each([
    { name: 'a steered connection', text: line('10.0.1.1', '10.0.0.2'), is: '10.0.0.2' },
    { name: 'one of IPv6, spelled in full', text: line('fd00:0:0:0:0:0:1:1', 'fd00::0002'), is: 'fd00::2' },
    { name: 'one that was left to the balancer', text: line('10.0.1.1', '10.0.1.1'), is: undefined },
    { name: 'one to something else', text: line('10.9.9.9', '10.0.0.2'), is: undefined },
    { name: 'no address', text: line('10.0.1.1', 'nonsense'), is: undefined },
    {
      name: 'a remark of the program',
      text: 'conntrack v1.4.7 (conntrack-tools): 3 flow events have been shown.',
      is: undefined,
    },
    { name: 'nothing', text: '', is: undefined },
  ])('$name', ({ text, is }) => {
    expect(freshBackend(text, new Set(['10.0.1.1', 'fd00::1:1']))).toBe(is);
  });
});

describe('followFresh()', () => {
  const endpoints = [address('10.0.1.1')];
  const fakes = () => {
    const started: {
      argv: readonly string[];
      say: (text: string) => void;
      end: (why: string) => void;
      closed: boolean;
      listening: boolean;
    }[] = [];
    const follow = (argv: readonly string[], say: (text: string) => void): Following => {
      const { promise: ended, resolve: end } = Promise.withResolvers<string>();
      const one = { argv, say, end, closed: false, listening: true };
      started.push(one);
      const close = () => {
        one.closed = true;
      };
      const listen = (on: boolean) => {
        one.listening = on;
      };
      return { ended, listen, close };
    };
    return { started, follow };
  };

  test('waits for the first, gives each backend once, and keeps what comes between two questions', async () => {
    const { started, follow } = fakes();
    using fresh = followFresh({ follow, log: () => undefined });
    const first = fresh.next(endpoints, 6443);
    started[0]?.say(line('10.0.1.1', '10.0.0.2'));
    expect(await first).toEqual(['10.0.0.2']);
    for (const from of ['10.0.0.3', '10.0.0.2', '10.0.0.3']) started[0]?.say(line('10.0.1.1', from));
    expect(await fresh.next(endpoints, 6443)).toEqual(['10.0.0.3', '10.0.0.2']);
    expect(started.map(({ argv }) => argv.join(' '))).toEqual([
      'conntrack --event --event-mask NEW --family ipv4 --proto tcp --orig-port-dst 6443',
    ]);
  });

  test('reads only while somebody waits', async () => {
    const { started, follow } = fakes();
    using fresh = followFresh({ follow, log: () => undefined });
    const listening = () => started.map((one) => one.listening);
    const first = fresh.next(endpoints, 6443);
    expect(listening()).toEqual([true]);
    started[0]?.say(line('10.0.1.1', '10.0.0.2'));
    await first;
    expect(listening()).toEqual([false]);
    void fresh.next(endpoints, 6443);
    expect(listening()).toEqual([true]);
  });

  test('of a real program that says much at once the last lines are read, and what comes meanwhile waits', async () => {
    const read: string[] = [];
    const script = 'seq 1 1000; sleep 0.3; echo more; exec sleep 60';
    const program = followProgram(['sh', '-c', script], (text) => read.push(text));
    await expect.poll(() => read.at(-1)).toBe('1000');
    expect(read.length).toBeLessThanOrEqual(64 * 2);
    program.listen(false);
    await sleep(600);
    expect(read.at(-1)).toBe('1000');
    program.listen(true);
    await expect.poll(() => read.at(-1)).toBe('more');
    program.close();
    expect(await program.ended).toBe('sh ended with a signal');
  });

  test('other endpoints need another look, and nothing is left running', async () => {
    const { started, follow } = fakes();
    {
      using fresh = followFresh({ follow, log: () => undefined });
      void fresh.next(endpoints, 6443);
      const both = fresh.next([...endpoints, address('fd00::1:1')], 6443);
      started[2]?.say(line('fd00::1:1', 'fd00::2'));
      expect(await both).toEqual(['fd00::2']);
      expect(started.map(({ closed }) => closed)).toEqual([true, false, false]);
    }
    expect(started.map(({ closed }) => closed)).toEqual([true, true, true]);
  });

  test('a program that ends is said, and not started again at once', async () => {
    const { started, follow } = fakes();
    const said: string[] = [];
    using fresh = followFresh({ follow, log: (text) => said.push(text) });
    void fresh.next(endpoints, 6443);
    started[0]?.end('conntrack ended with 1');
    await Promise.resolve();
    await Promise.resolve();
    void fresh.next(endpoints, 6443);
    expect(started.length).toBe(1);
    expect(said).toEqual(['new connections are not seen for a while: conntrack ended with 1']);
  });
});
