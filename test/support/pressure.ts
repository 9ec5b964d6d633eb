import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { AgentStatus } from '../../src/agent/status/document.ts';
import type { Attempt } from '../../src/drill/history/record.ts';
import { failureOf, isFailed } from '../../src/drill/judge/connections.ts';
import { type AgentMachine, startAgent } from './agent-machine.ts';
import { untilInRotation, wireLab } from './balancer-lab.ts';
import { recordTraffic } from './drill.ts';
import { nftOn } from './steering.ts';

// A machine that is busy must not make the balancer eject anybody: its own faults are not judged here.
const check = { protocol: 'tcp', intervalMs: 2_000, timeoutMs: 30_000, rise: 1, fall: 10 } as const;

export interface Pressed {
  /** Requests that failed. */
  readonly cut: readonly string[];
  readonly resets: number;
}

/**
 * Both cores taken, all apiservers well: whatever the prober thinks of late answers, it may not cut a single flow; and a
 * program that lists 60,000 elements of another table is as fast as without the agent.
 */
export async function underSaturation(name: string, opts: { readonly forMs: number }): Promise<Pressed> {
  await using lab = await wireLab({
    name,
    masters: 3,
    workers: 1,
    ip: '4',
    balancer: { like: 'works', healthCheck: check },
  });
  await untilInRotation(lab, ['m1', 'm2', 'm3']);
  await nftOn(lab, 'm1', foreignTable(60_000));
  using _busy = busyLoops(2 * cpus().length);
  /**
   * Processor time of one listing, in milliseconds: with the cores taken the time on the clock says who waited, not who
   * was slowed. A listing that a commit overtakes starts over, which costs it a multiple.
   */
  const list = async () => {
    const script = 'TIMEFORMAT="%U %S"; time nft list table ip foreign >/dev/null';
    const { exitCode, stderr } = await lab.exec('m1', ['bash', '-c', script]);
    expect(exitCode).toBe(0);
    const [user, system] = stderr.trim().split(' ').map(Number);
    return ((user ?? Number.NaN) + (system ?? 0)) * 1000;
  };
  const alone = median(await inSeries(3, list));
  await using agent = await startAgent(lab, 'm1');
  await steering(agent);
  const before = await statusOf(agent);
  await using recorded = await recordTraffic(lab, {
    m1: { kept: { count: 4, everyMs: 250, patienceMs: 30_000, path: '/readyz' } },
  });
  const end = performance.now() + opts.forMs;
  const listings: number[] = [];
  while (performance.now() < end || listings.length < 3) {
    listings.push(await list());
    await sleep(1000);
  }
  const after = await statusOf(agent);
  const history = await recorded.stop();
  const cut = history
    .filter((r): r is Attempt => r.is === 'attempt' && isFailed(r))
    // The stand-in closes what was idle for 5 s, which a client that is starved of processor time meets; nobody cut that.
    .filter((a) => a.outcome.is !== 'closed')
    .map((a) => `${a.client} ${a.over} ${failureOf(a)}`);
  const switches = after.counters.switches - before.counters.switches;
  console.log(
    `${Math.round(opts.forMs / 1000)} s saturated: ${switches} switches, ${after.counters.resets} resets; listing 60,000 elements ${Math.round(alone)} ms of processor time alone, ${Math.round(median(listings))} ms beside the agent`,
  );
  expect(median(listings)).toBeLessThan(alone * 1.5);
  return { cut, resets: after.counters.resets };
}

async function steering(agent: AgentMachine): Promise<void> {
  await expect
    .poll(async () => (await statusOf(agent)).counters.renewals, { timeout: 60_000, interval: 200 })
    .toBeGreaterThan(0);
}

async function statusOf(agent: AgentMachine): Promise<AgentStatus> {
  return await new Promise((resolve, reject) => {
    const socket = connect(agent.paths.statusSocket);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(JSON.parse(text) as AgentStatus));
  });
}

/** A table of somebody else's, with one set of so many addresses. */
function foreignTable(elements: number): string {
  const all = Array.from({ length: elements }, (_, i) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`);
  return `table ip foreign {\n set many {\n type ipv4_addr\n elements = { ${all.join(', ')} }\n }\n}\n`;
}

function busyLoops(count: number): Disposable {
  const children: ChildProcess[] = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' }),
  );
  return {
    [Symbol.dispose]() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

async function inSeries<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < count; i += 1) results.push(await work());
  return results;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
