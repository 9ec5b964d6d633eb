import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Agent, type AgentSpace, agentSpace, masterAddress } from '../../support/agent/loopback.ts';

// The prober as a process of its own, real stand-ins, a steerer that writes down what it is asked, one namespace.

const names = ['m1', 'm2', 'm3'];

/** Three masters that are ready, and an agent on m1 that steers to it. */
async function steered(change: Parameters<AgentSpace['startAgent']>[0] = {}) {
  const space = await agentSpace(names);
  await Promise.all(names.map((name) => space.startMaster(name)));
  const agent = await space.startAgent(change);
  await agent.until('all are ready', (s) => s.backends.length === 3 && s.backends.every((b) => b.state === 'ready'));
  await agent.until('steered to m1', (s) => s.inForce?.backends.join() === 'm1' && s.table.renewing);
  return { space, agent, [Symbol.asyncDispose]: async () => await space[Symbol.asyncDispose]() };
}

/** Milliseconds from `since` to the first request to steer to exactly these. */
function steeredTo(space: AgentSpace, wanted: readonly string[], since: number): number {
  const addresses = wanted.map(masterAddress).join();
  const found = space.steerer.asked.find(
    ({ at, request }) => at >= since && request.op === 'steer' && request.backends.join() === addresses,
  );
  if (found === undefined) throw new Error(`nobody asked to steer to ${addresses}`);
  return found.at - since;
}

const inForce = (agent: Agent, backends: string, ms?: number) =>
  agent.until(`in force: ${backends}`, (s) => s.inForce?.backends.join() === backends, ms);

const resets = (space: AgentSpace, since: number) =>
  space.steerer.asked.flatMap(({ at, request }) =>
    at >= since && request.op === 'reset' ? [{ backend: request.backend, ms: at - since }] : [],
  );

describe('a master', () => {
  test('that is steered to itself goes to the others when its apiserver crashes, and back when it is trusted', async () => {
    await using cx = await steered();
    const { space, agent } = cx;
    space.master('m1').kill('SIGKILL');
    await once(space.master('m1'), 'exit');
    const died = performance.now();
    await inForce(agent, 'm2,m3');
    // The kernel closes the sockets while the process ends, so this may be negative: it was faster than the exit.
    expect(steeredTo(space, ['m2', 'm3'], died - 500) - 500).toBeLessThan(50);
    await agent.until('flows were ended', (s) => s.counters.resets === 1);
    expect(resets(space, died - 500).map(({ backend }) => backend)).toEqual([masterAddress('m1')]);
    await space.startMaster('m1');
    await inForce(agent, 'm1');
    agent.child.kill('SIGTERM');
    expect(await once(agent.child, 'exit')).toEqual([0, null]);
    expect(agent.lines.at(-1)?.msg).toBe(
      'stopped: the steering table is left as it is and lapses to the balancer within 3 s',
    );
  });

  test('whose apiserver hangs goes elsewhere within 300 ms, and its flows are ended after three seconds', async () => {
    await using cx = await steered();
    const { space, agent } = cx;
    const frozen = performance.now();
    space.master('m1').kill('SIGSTOP');
    await inForce(agent, 'm2,m3');
    expect(steeredTo(space, ['m2', 'm3'], frozen)).toBeLessThan(300);
    await agent.until('flows were ended', (s) => s.counters.resets === 1);
    const [reset] = resets(space, frozen);
    expect(reset?.backend).toBe(masterAddress('m1'));
    expect(reset?.ms).toBeGreaterThan(3000);
    expect(reset?.ms).toBeLessThan(4000);
    space.master('m1').kill('SIGCONT');
    await inForce(agent, 'm1');
    expect(resets(space, frozen)).toHaveLength(1);
  });

  test('that is not ready, and then nobody is: others first, and then itself again', async () => {
    await using cx = await steered();
    const { space, agent } = cx;
    await space.set('m1', { ready: false });
    await inForce(agent, 'm2,m3');
    for (const name of names) await space.set(name, { ready: false });
    await inForce(agent, 'm1');
    expect((await agent.status()).inForce?.hold).toBe(false);
    expect(resets(space, 0)).toEqual([]);
  });

  test('starts before anybody: the table is there, it is ready, and after two seconds it is the balancer', async () => {
    await using space = await agentSpace(names);
    const agent = await space.startAgent();
    await agent.until('the balancer', (s) => s.decision.is === 'balancer' && s.inForce !== null);
    expect(space.steerer.asked.map(({ request }) => request)).toEqual([
      { op: 'ensure', endpoints: ['10.99.1.1'] },
      { op: 'steer', backends: [], hold: false, away: names.map(masterAddress) },
    ]);
    const ready = agent.lines.find(({ msg }) => msg.startsWith('ready:'));
    expect(ready?.ms).toBeLessThan(1000);
    expect((await agent.status()).table).toEqual({ renewing: false, renewedMsAgo: null, problem: null });
    await space.startMaster('m2');
    await inForce(agent, 'm2');
  });
});

describe('the table', () => {
  test('that somebody flushed is put back within a second', async () => {
    await using cx = await steered();
    const { space, agent } = cx;
    await sleep(1000);
    const flushed = performance.now();
    await space.steerer.flush();
    await agent.until('the table was put back', (s) => s.counters.repairs === 1);
    expect(steeredTo(space, ['m1'], flushed)).toBeLessThan(1000);
    await agent.until('it is renewed', (s) => s.table.problem === null);
  });

  test('lapses when the steerer is away and steers to a dead apiserver, and is right again when it is back', async () => {
    await using cx = await steered();
    const { space, agent } = cx;
    await space.steerer.stop();
    await agent.until('the steerer is away', (s) => !s.steerer.up);
    expect((await agent.status()).table.renewing).toBe(true);
    space.master('m1').kill('SIGKILL');
    await agent.until('nothing is renewed any more', (s) => !s.table.renewing);
    expect((await agent.status()).decision.backends).toEqual(['m2', 'm3']);
    await space.steerer.start();
    await inForce(agent, 'm2,m3');
    await agent.until('it is renewed', (s) => s.table.renewing);
  });
});

describe('planned work', () => {
  test('a drain file takes new connections from this node, and its removal gives them back', async () => {
    await using cx = await steered();
    const { space, agent } = cx;
    await writeFile(agent.drainFile, '');
    await inForce(agent, 'm2,m3');
    await rm(agent.drainFile);
    await inForce(agent, 'm1');
    expect(resets(space, 0)).toEqual([]);
  });

  test('a changed configuration is read at SIGHUP; a bad one is refused with its place', async () => {
    await using cx = await steered();
    const { space, agent } = cx;
    space.master('m1').kill('SIGKILL');
    await inForce(agent, 'm2,m3');
    await writeFile(agent.configFile, JSON.stringify({ ...space.config, draining: ['m2'] }));
    agent.child.kill('SIGHUP');
    await inForce(agent, 'm3');
    await writeFile(
      agent.configFile,
      JSON.stringify({ ...space.config, endpoint: { host: 'x', port: 0 } }, undefined, 2),
    );
    agent.child.kill('SIGHUP');
    await agent.until('refused', (s) => s.config.problems.length > 0);
    expect((await agent.status()).config.problems.map((line) => line.replace(agent.configFile, 'agent.json'))).toEqual([
      'agent.json:10:15  endpoint.addresses: is missing; expected a list   FIELD_MISSING',
      'agent.json:12:13  endpoint.port: `0` cannot be used; expected 1 or more   FIELD_VALUE',
    ]);
    expect((await agent.status()).decision.backends).toEqual(['m3']);
  });
});
