import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Agent, type AgentSpace, agentSpace, masterAddress } from '../../support/agent/loopback.ts';
import { memoryOf } from '../../support/agent-machine.ts';

// m2 is an apiserver with a good certificate that does its worst; m1 and m3 are well. Nothing that m2 says may cost more
// than m2.

const hostile = new URL('../../support/agent/hostile.main.ts', import.meta.url).pathname;
let space: AgentSpace;
let agent: Agent;
let m2: ChildProcess | undefined;

beforeAll(async () => {
  space = await agentSpace(['m1', 'm2', 'm3']);
  await Promise.all(['m1', 'm3'].map((name) => space.startMaster(name)));
  agent = await space.startAgent();
  await agent.until('steered to m1', (s) => s.inForce?.backends.join() === 'm1' && s.table.renewing, 30_000);
});

afterAll(async () => {
  m2?.kill('SIGKILL');
  await space?.[Symbol.asyncDispose]();
});

describe('an apiserver that gives', () => {
  test.each([
    { does: 'garbage instead of TLS', state: 'unknown', trouble: /wrong version|packet length|SSL|TLS/i },
    { does: 'no handshake', state: 'unknown', trouble: /did not finish the TLS handshake/ },
    { does: 'a handshake one byte at a time', state: 'unknown', trouble: /handshake|SSL|wrong version/i },
    { does: 'another protocol', state: 'unknown', trouble: /alert|HTTP\/2/ },
    { does: 'garbage over TLS', state: 'unknown', trouble: /./ },
    { does: 'a flood of SETTINGS', state: 'unknown', trouble: /./ },
    { does: 'a flood of PINGs', state: 'unknown', trouble: /./ },
    { does: 'GOAWAY at once', state: 'unknown', trouble: /GOAWAY 0/ },
    { does: 'headers without an end', state: 'unknown', trouble: /./ },
    { does: 'frames of streams that nobody opened', state: 'unknown', trouble: /./ },
    { does: 'bytes one at a time', state: 'unknown', trouble: /./ },
    { does: 'a /readyz without an end', state: 'any', trouble: /did not answer within 2000 ms/ },
    { does: 'Endpoints without an end', state: 'ready', trouble: undefined },
    { does: 'Endpoints full of nonsense', state: 'ready', trouble: undefined },
  ])(
    '$does costs no other anything',
    async ({ does, state, trouble }) => {
      const pid = agent.child.pid ?? 0;
      const before = await memoryOf(pid);
      const seen = agent.lines.length;
      const certificate = { certFile: `${space.dir}/pki/balancer.crt`, keyFile: `${space.dir}/pki/balancer.key` };
      const config = JSON.stringify({ does, host: masterAddress('m2'), port: 6443, ...certificate });
      m2 = spawn('nsenter', ['-t', `${space.pid}`, '-n', process.execPath, hostile, config], { stdio: 'pipe' });
      if (m2.stdout !== null) await once(m2.stdout, 'data');
      await agent.until(
        'm2 was tried',
        (s) => {
          const of = s.backends.find(({ name }) => name === 'm2');
          const troubled = trouble === undefined || (of?.trouble?.text.match(trouble) ?? null) !== null;
          return troubled && (state !== 'ready' || of?.state === 'ready');
        },
        20_000,
      );
      // Membership is asked of one that is ready, chosen anew each five seconds: m2 comes up sooner or later.
      const saying = does.endsWith('nonsense')
        ? /m2 announces what is not used: 127\.0\.0\.1 is a loopback address/
        : /gave more than 262144 bytes/;
      for (
        const end = performance.now() + 60_000;
        does.startsWith('Endpoints') && performance.now() < end;
        await sleep(50)
      ) {
        if (agent.lines.slice(seen).some(({ msg }) => saying.test(msg))) break;
      }
      await sleep(1500);
      // On a busy machine somebody is late now and then; while m2 goes on, the others are well again by themselves.
      await agent.until(
        'the others are well',
        (s) =>
          s.inForce?.backends.join() === 'm1' &&
          s.table.renewing &&
          s.table.problem === null &&
          s.backends.every((b) => b.name === 'm2' || b.state === 'ready'),
        30_000,
      );
      const status = await agent.status();
      const after = await memoryOf(pid);
      m2.kill('SIGKILL');
      await once(m2, 'exit');
      // A hostile answer is never whole in memory: 256 KiB of it at most, and what the collector has not yet taken back.
      expect(after.anonymous - before.anonymous).toBeLessThan(40_000);
      expect(agent.child.exitCode).toBe(null);
      if (state === 'unknown')
        expect(agent.lines.slice(seen).some(({ backend, to }) => backend === 'm2' && to === 'ready')).toBe(false);
      if (does.startsWith('Endpoints')) {
        expect(status.backends.map(({ name }) => name)).toEqual(['m1', 'm2', 'm3']);
        expect(
          agent.lines
            .slice(seen)
            .map(({ msg }) => msg)
            .join('\n'),
        ).toMatch(saying);
      }
      await agent.until(
        'm2 is down',
        (s) => s.backends.some((b) => b.name === 'm2' && ['unknown', 'failed'].includes(b.state)),
        20_000,
      );
    },
    90_000,
  );
});
