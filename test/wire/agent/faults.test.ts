import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentStatus } from '../../../src/agent/status/document.ts';
import type { Attempt, DrillRecord } from '../../../src/drill/history/record.ts';
import type { ClientBudget } from '../../../src/drill/judge/budget.ts';
import { isFailed } from '../../../src/drill/judge/connections.ts';
import { type Judgement, judge } from '../../../src/drill/judge/judge.ts';
import { attemptsOf, windowOf } from '../../../src/drill/judge/window.ts';
import { type BreakRequest, breakLab, healFaults } from '../../../src/lab/faults/break.ts';
import { openLab, type RunningLab } from '../../../src/lab/runtime/open-lab.ts';
import type { Lab } from '../../../src/lab/runtime/start-lab.ts';
import { setStandin } from '../../../src/lab/standin/control.ts';
import { readStatus } from '../../support/agent/loopback.ts';
import { type AgentMachine, startAgent } from '../../support/agent-machine.ts';
import { untilInRotation, wireLab } from '../../support/balancer-lab.ts';
import { recordTraffic, usualTraffic } from '../../support/drill.ts';

// Each fault, seen by three roles at once: the master whose own apiserver it hits (m1), another master (m2) and a worker
// that steers (w1). The history of every connection is judged as a whole. The balancer hairpins (class A) and is slow on
// purpose: whatever is good here is the agents' work.

const masters = ['m1', 'm2', 'm3'];
const roles = ['m1', 'm2', 'w1'];
const check = { protocol: 'https', intervalMs: 20_000, timeoutMs: 2000, rise: 1, fall: 3 } as const;
/** Three clients, three servers, nine processes of the agent and whatever else runs share two cores. */
const traffic = {
  connections: { ...usualTraffic.connections, perSecond: 10 },
  watches: { ...usualTraffic.watches, count: 2 },
};

let lab: Lab;
let running: RunningLab;
let agents: Map<string, AgentMachine>;

beforeAll(async () => {
  lab = await wireLab({
    name: 'prober-faults',
    masters: 3,
    workers: 1,
    balancer: { like: 'drop', healthCheck: check },
  });
  running = await openLab(lab.name);
  await untilInRotation(lab, masters);
  agents = new Map();
  for (const name of roles) agents.set(name, await startAgent(lab, name));
});

afterAll(async () => {
  for (const agent of agents?.values() ?? []) await agent[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const status = async (name: string): Promise<AgentStatus> =>
  await readStatus(agents.get(name)?.paths.statusSocket ?? '');

async function until(name: string, what: string, fits: (status: AgentStatus) => boolean, ms = 30_000): Promise<void> {
  let last: AgentStatus | undefined;
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20)) {
    last = await status(name);
    if (fits(last)) return;
  }
  const log = agents.get(name)?.log.slice(-40).join('\n');
  throw new Error(`${name}, after ${ms} ms: ${what}\n${JSON.stringify(last, undefined, 1)}\n${log}`);
}

/** Everybody is well and steered as it should be; where the last test left its traces they are gone. */
beforeEach(async () => {
  await healFaults(running);
  for (const name of masters) await setStandin(lab.cx.paths, name, { ready: true, live: true, delayMs: 0 });
  for (const name of roles) {
    const wanted = name === 'w1' ? masters.join() : name;
    await until(
      name,
      `steers to ${wanted}`,
      (s) => s.inForce?.backends.join() === wanted && s.table.renewing && s.backends.every((b) => b.state === 'ready'),
      60_000,
    );
  }
});

interface Story {
  /** Breaks it; what it resolves with is waited for before the fault counts as in force. */
  readonly inject: () => Promise<unknown>;
  readonly forMs: number;
  readonly heal?: () => Promise<unknown>;
  readonly afterMs?: number;
  readonly clients?: readonly string[];
}

type Played = Awaited<ReturnType<typeof play>>;

async function play({ inject, forMs, heal, afterMs = 3000, clients = roles }: Story) {
  await using recorded = await recordTraffic(lab, Object.fromEntries(clients.map((client) => [client, traffic])));
  await recorded.run(1500);
  const before = new Map(await Promise.all(clients.map(async (c) => [c, (await status(c)).counters] as const)));
  recorded.mark('fault');
  const asked = performance.now();
  await inject();
  const injectMs = performance.now() - asked;
  await recorded.run(forMs);
  if (heal !== undefined) {
    await heal();
    recorded.mark('healed');
    await recorded.run(afterMs);
  }
  const history = await recorded.stop();
  const counters = async (client: string) => {
    const now = (await status(client)).counters;
    const was = before.get(client);
    return { switches: now.switches - (was?.switches ?? 0), resets: now.resets - (was?.resets ?? 0) };
  };
  return {
    history,
    injectMs,
    judged: (budget: Readonly<Record<string, ClientBudget>>) =>
      judge(history, { budget: { clients: budget }, watched: 'every' }),
    counters,
  };
}

/** When the last of a client's connections that failed was due, in ms after the fault; those of `except` do not count. */
function lastFailureDue(history: readonly DrillRecord[], client: string, except: readonly string[] = []): number {
  const faultAt = windowOf(history)?.faultAt ?? 0;
  const failed = attemptsOf(history, client, 'new').filter((a) => isFailed(a) && !except.includes(a.outcome.is));
  return Math.max(0, ...failed.map((a: Attempt) => a.scheduledAt - faultAt));
}

/**
 * A crash takes with it what had reached the process; nobody can save that, and the client may ask again. What was due 50
 * ms after the process was gone has to be good.
 */
function expectOnlyUnderWay({ history, injectMs }: Pick<Played, 'history' | 'injectMs'>, client: string): void {
  const failed = attemptsOf(history, client, 'new').filter(isFailed);
  const odd = failed.filter(({ outcome }) => outcome.is !== 'reset' && outcome.is !== 'closed');
  expect([client, odd, lastFailureDue(history, client) < injectMs + 50], logs(client)).toEqual([client, [], true]);
}

/** What a person wants to see when a budget is broken. */
const short = ({ verdict, clients }: Judgement) => ({
  verdict,
  clients: clients.map(({ client, connections, watches }) => ({
    client,
    attempts: connections?.attempts,
    failures: connections?.failures,
    steadyAfterMs: connections?.steadyAfterMs,
    watchGapMs: watches?.longestGapMs,
    streams: watches?.streams.map((s) => `${s.server} ${s.is} ${s.endedAfterMs ?? ''}`).join(', '),
  })),
});
const logs = (...names: readonly string[]) =>
  names.flatMap((name) => (agents.get(name)?.log ?? []).slice(-30).map((line) => `${name} ${line}`)).join('\n');

function expectWithin(judged: Judgement, ...names: readonly string[]): void {
  if (process.env.HAIRPIN_SHOW !== undefined) console.log(JSON.stringify(short(judged), undefined, 1));
  expect(judged.verdict, `${JSON.stringify(short(judged), undefined, 1)}\n${logs(...names)}`).toEqual({
    is: 'within-budget',
  });
}

const stop = (target: string): BreakRequest => ({ fault: 'stop', target, process: 'kube-apiserver' });
const freeze = (target: string): BreakRequest => ({ fault: 'freeze', target, process: 'kube-apiserver' });

describe('one apiserver', () => {
  test('crashes: nobody is refused, only what had reached it is lost, and streams to it are resumed', async () => {
    const played = await play({
      inject: () => breakLab(running, stop('m1')),
      forMs: 4000,
      heal: () => healFaults(running),
    });
    expectWithin(played.judged({ '*': { stuck: 0, watchGapMs: 2500 }, m2: { failed: 0, stuck: 0 } }), 'm1');
    for (const client of roles) expectOnlyUnderWay(played, client);
  });

  test('hangs: masters go elsewhere within 300 ms, a worker within its PING of one second; streams end', async () => {
    const { judged, counters, history } = await play({
      inject: () => breakLab(running, freeze('m1')),
      forMs: 9000,
      heal: () => healFaults(running),
    });
    expectWithin(
      judged({
        m1: { failed: 10, watchGapMs: 5000, stuck: 0 },
        m2: { failed: 0, stuck: 0 },
        w1: { watchGapMs: 6500, stuck: 0 },
      }),
      'm1',
      'w1',
    );
    expect(lastFailureDue(history, 'm1')).toBeLessThan(300);
    expect(lastFailureDue(history, 'w1')).toBeLessThan(2500);
    expect((await counters('m1')).resets).toBe(1);
  });

  test('is cut off silently: its neighbours do not notice, a worker does within its PING', async () => {
    const { judged, history } = await play({
      inject: () => breakLab(running, { fault: 'silent', target: 'm3' }),
      forMs: 9000,
      heal: () => healFaults(running),
      afterMs: 5000,
    });
    expectWithin(judged({ m1: { failed: 0, stuck: 0 }, m2: { failed: 0, stuck: 0 }, w1: { stuck: 0 } }), 'w1');
    expect(lastFailureDue(history, 'w1')).toBeLessThan(2500);
  });

  test('is not ready: no connection fails and no stream ends', async () => {
    const { judged, counters, history } = await play({
      inject: () => setStandin(lab.cx.paths, 'm1', { ready: false }),
      forMs: 4000,
      heal: () => setStandin(lab.cx.paths, 'm1', { ready: true }),
    });
    // `/readyz` itself is what the clients ask, so on m1 the second until it is seen shows.
    const found = judged({ m1: { watchGapMs: 1000, stuck: 0 }, m2: { failed: 0 } });
    expectWithin(found, 'm1');
    expect(lastFailureDue(history, 'm1')).toBeLessThan(1500);
    expect(lastFailureDue(history, 'm1', ['http'])).toBe(0);
    expect(found.clients.flatMap(({ watches }) => watches?.streams.filter((s) => s.is !== 'alive'))).toEqual([]);
    expect((await counters('m1')).resets).toBe(0);
  });

  test('starts slowly after a crash: nobody is sent to it before it answers in time', async () => {
    const played = await play({
      inject: () => breakLab(running, stop('m1')),
      forMs: 2000,
      heal: async () => {
        await healFaults(running);
        await setStandin(lab.cx.paths, 'm1', { ready: false, delayMs: 700 });
        await sleep(4000);
        await setStandin(lab.cx.paths, 'm1', { ready: true, delayMs: 0 });
      },
      afterMs: 4000,
    });
    expectWithin(played.judged({ '*': { stuck: 0 } }), 'm1');
    for (const client of roles) expectOnlyUnderWay(played, client);
  });

  test('flaps every 700 ms: the agent does not flap with it', async () => {
    let flapping = true;
    let flaps: Promise<void> | undefined;
    const { judged, counters } = await play({
      inject: async () => {
        flaps = (async () => {
          while (flapping) {
            await breakLab(running, freeze('m1'));
            await sleep(700);
            await healFaults(running);
            await sleep(700);
          }
        })();
      },
      forMs: 10_000,
      heal: async () => {
        flapping = false;
        await flaps;
      },
      afterMs: 2000,
      clients: ['m1', 'm2'],
    });
    expectWithin(judged({ m1: { failed: 10, stuck: 0 }, m2: { failed: 0, stuck: 0 } }), 'm1');
    // Seven times it froze; each suspicion doubles the way back, so that it is trusted less and less often.
    expect((await counters('m1')).switches).toBeLessThanOrEqual(8);
    expect((await counters('m1')).resets).toBe(0);
  });
});

describe('several apiservers', () => {
  test('two of three are down: everybody is on the third', async () => {
    const played = await play({
      inject: async () => {
        await breakLab(running, stop('m1'));
        await breakLab(running, stop('m2'));
      },
      forMs: 5000,
      heal: () => healFaults(running),
    });
    expectWithin(played.judged({ '*': { stuck: 0 } }), 'm1', 'm2');
    for (const client of roles) expectOnlyUnderWay(played, client);
  });

  test('all are down and come back: everybody is on them again within seconds, and nobody was reset', async () => {
    const { judged, counters } = await play({
      inject: async () => {
        for (const name of masters) await breakLab(running, stop(name));
      },
      forMs: 4000,
      heal: () => healFaults(running),
      afterMs: 12_000,
    });
    const found = judged({ '*': { stuck: 0 } });
    expectWithin(found, 'm1', 'w1');
    for (const { client, connections } of found.clients) {
      expect([client, connections?.allGoodAfterMs], logs(client)).not.toEqual([client, 'never']);
    }
    for (const name of roles) await until(name, 'steered again', (s) => s.decision.is === 'steered');
    expect((await counters('m1')).resets).toBeLessThanOrEqual(2);
  });
});
