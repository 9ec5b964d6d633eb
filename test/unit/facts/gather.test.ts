import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import { readClock } from '../../../src/facts/clock.ts';
import { findDuplicates } from '../../../src/facts/duplicates.ts';
import { gatherFacts } from '../../../src/facts/gather.ts';
import { emptyAsk } from '../../../src/facts/probe.ts';
import type { NodeReport } from '../../../src/facts/types.ts';
import type { NodePort, RunResult } from '../../../src/node/port.ts';
import { address } from '../../../src/std/address.ts';
import { factsOf, known } from '../../support/facts.ts';

const answer = (argv: readonly string[], stdout: string): RunResult => ({
  argv,
  exitCode: 0,
  stdout,
  stderr: '',
  ms: 1,
});

/** A node that answers after `ms`, or fails with `error`. */
function node(name: string, ms: number, error?: OperatorError): NodePort {
  const never = () => Promise.reject(new Error('a probe changes nothing'));
  return {
    name,
    async probe(argv) {
      await sleep(ms);
      if (error !== undefined) throw error;
      return answer(argv, '1700000000000000000\n\x1ebegin swap\nFilename\n\n\x1eend 0\n');
    },
    change: never,
    writeFile: never,
    readFile: never,
  };
}

describe('gatherFacts()', () => {
  test('a node that is down is part of the result, with its code, reason and hint', async () => {
    const down = new OperatorError('NODE_UNREACHABLE', 'Cannot reach node m2', {
      cause: 'refused',
      hint: 'is sshd running?',
    });
    const seen: string[] = [];
    const facts = await gatherFacts(
      [node('m1', 1), node('m2', 1, down)].map((one) => ({ node: one, ask: emptyAsk })),
      { onNode: (report, done, total) => seen.push(`${report.node} ${done}/${total}`) },
    );
    expect(facts.nodes.map((report) => (report.is === 'seen' ? report.node : { ...report, ms: 0 }))).toEqual([
      'm1',
      {
        is: 'unreachable',
        node: 'm2',
        ms: 0,
        code: 'NODE_UNREACHABLE',
        reason: 'Cannot reach node m2',
        cause: 'refused',
        hint: 'is sshd running?',
      },
    ]);
    expect(seen.map((line) => line.slice(3))).toEqual(['1/2', '2/2']);
  });

  test('an abort throws its reason', async () => {
    const stop = new AbortController();
    const run = gatherFacts([{ node: node('m1', 50), ask: emptyAsk }], { signal: stop.signal });
    stop.abort(new OperatorError('INTERRUPTED', 'Interrupted by SIGINT'));
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED', message: 'Interrupted by SIGINT' });
  });

  test('asks many nodes at a time, and no more than it may', async () => {
    let now = 0;
    let most = 0;
    const busy = (name: string): NodePort => ({
      ...node(name, 0),
      async probe(argv) {
        now += 1;
        most = Math.max(most, now);
        await sleep(5);
        now -= 1;
        return answer(argv, '');
      },
    });
    await gatherFacts(
      Array.from({ length: 50 }, (_, i) => ({ node: busy(`n${i}`), ask: emptyAsk })),
      { concurrency: 8 },
    );
    expect(most).toBe(8);
  });
});

describe('the clock', () => {
  test('the offset is from the middle of the way, and half of the way is the uncertainty', () => {
    const clock = readClock('1600000000000', { asked: 1_000_000, heard: 1_000_040 });
    expect(clock).toEqual({ is: 'known', value: { offsetMs: 599_980, uncertaintyMs: 20 } });
  });

  test('a date that knows no nanoseconds is unknown', () => {
    expect(readClock('1600%N', { asked: 0, heard: 0 })).toEqual({
      is: 'unknown',
      reason: 'date does not tell nanoseconds here',
    });
  });

  test('connecting is not part of the way: the node is asked when it can be reached', async () => {
    const slow: NodePort = {
      ...node('m1', 0),
      async probe(argv, opts) {
        await sleep(400);
        opts?.onStart?.();
        const time = `${Date.now() + 60_000}000000`;
        opts?.onLine?.('stdout', time);
        await sleep(400);
        return answer(argv, `${time}\n\x1ebegin swap\nFilename\n\n\x1eend 0\n`);
      },
    };
    const { nodes } = await gatherFacts([{ node: slow, ask: emptyAsk }]);
    const [report] = nodes;
    const clock = report?.is === 'seen' && report.facts.clock.is === 'known' ? report.facts.clock.value : undefined;
    expect(Math.round((clock?.offsetMs ?? 0) / 1000)).toBe(60);
    expect(clock?.uncertaintyMs).toBeLessThan(100);
  });
});

describe('findDuplicates()', () => {
  const seen = (name: string, machineId: string, hostname: string, ip: string, kind?: string): NodeReport => ({
    is: 'seen',
    node: name,
    ms: 1,
    facts: factsOf({
      identity: known({ machineId, productUuid: undefined, bootId: undefined }),
      os: known({
        id: 'debian',
        idLike: [],
        versionId: '12',
        prettyName: '',
        machine: 'x86_64',
        hostname,
        cpus: 2,
        systemd: true,
      }),
      interfaces: known([
        {
          name: 'eth0',
          kind,
          mac: undefined,
          mtu: 1500,
          up: true,
          loopback: false,
          addresses: [
            { address: address(ip), prefix: 24, scope: 'global' },
            { address: address('172.16.105.26'), prefix: 32, scope: 'global' },
          ],
        },
      ]),
    }),
  });

  test('cloned machines share id and name; a VIP on all of them is no duplicate', () => {
    expect(findDuplicates([seen('m1', 'aaa', 'debian', '10.0.0.1'), seen('m2', 'aaa', 'debian', '10.0.0.2')])).toEqual([
      { what: 'machine-id', value: 'aaa', nodes: ['m1', 'm2'] },
      { what: 'hostname', value: 'debian', nodes: ['m1', 'm2'] },
    ]);
  });

  test('an address on two nodes is found, unless it is a bridge’s', () => {
    expect(findDuplicates([seen('m1', 'a', 'm1', '10.0.0.1'), seen('m2', 'b', 'm2', '10.0.0.1')])).toEqual([
      { what: 'address', value: '10.0.0.1', nodes: ['m1', 'm2'] },
    ]);
    expect(
      findDuplicates([seen('m1', 'a', 'm1', '172.17.0.1', 'bridge'), seen('m2', 'b', 'm2', '172.17.0.1', 'bridge')]),
    ).toEqual([]);
  });
});
