import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Attempt, DrillRecord, EngineReport } from '../../../src/drill/history/record.ts';
import { type TrafficChannel, throughCommand, trafficProgram } from '../../../src/drill/traffic/channel.ts';
import { startTraffic } from '../../../src/drill/traffic/run-traffic.ts';

// Nobody listens on port 1: every connection is refused, and that is all that is asked of it here.
const config = {
  client: 'm1',
  host: '127.0.0.1',
  port: 1,
  servers: 'header',
  connections: { perSecond: 50, patienceMs: 500, path: '/' },
} as const;

async function run(channel: TrafficChannel, spool: string | undefined, during: () => Promise<void>) {
  const history: DrillRecord[] = [];
  const traffic = await startTraffic({
    channel,
    config: spool === undefined ? config : { ...config, spool },
    onRecord: (record) => history.push(record),
    signal: new AbortController().signal,
  });
  traffic.go();
  await during();
  const problem = await traffic.stop();
  const due = history.filter((r): r is Attempt => r.is === 'attempt').map(({ scheduledAt }) => scheduledAt);
  const engine = history.find((r): r is EngineReport => r.is === 'engine');
  return { problem, due: due.toSorted((a, b) => a - b), engine };
}

/** Every attempt once, 20 ms after the one before, and as many as the process says that it started. */
function expectWhole({ problem, due, engine }: Awaited<ReturnType<typeof run>>): void {
  expect(problem).toBeUndefined();
  expect(engine?.started).toBe(due.length);
  expect(due.slice(1).map((at, i) => Math.round(at - (due[i] ?? 0)))).toEqual(due.slice(1).map(() => 20));
}

test('what a process says last is heard, although its input has ended', async () => {
  const seen = await run(
    throughCommand((text) => [process.execPath, trafficProgram, text]),
    undefined,
    () => sleep(1200),
  );
  expectWhole(seen);
  expect(seen.due.length).toBeGreaterThan(55);
});

test('a stream that breaks loses nothing: the process goes on alone, and what it wrote is fetched', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'drill-spool-'));
  const spool = join(dir, 'traffic.jsonl');
  let cut = () => {};
  const channel: TrafficChannel = {
    async run(text, { input, onLine }) {
      const child = spawn(process.execPath, [trafficProgram, text], { stdio: ['pipe', 'pipe', 'ignore'] });
      input.pipe(child.stdin);
      createInterface({ input: child.stdout }).on('line', onLine);
      await new Promise<void>((resolve) => {
        cut = () => {
          input.unpipe(child.stdin);
          child.stdin.destroy();
          child.stdout.destroy();
          resolve();
        };
      });
      return { problem: 'the connection broke', lost: true };
    },
    async recover() {
      const pid = Number(await readFile(`${spool}.pid`, 'utf8'));
      process.kill(pid, 'SIGTERM');
      for (let i = 0; i < 60; i += 1) {
        if ((await readFile(spool, 'utf8')).includes('"engine"')) break;
        await sleep(50);
      }
      return (await readFile(spool, 'utf8')).trimEnd().split('\n');
    },
  };
  try {
    const seen = await run(channel, spool, async () => {
      await sleep(700);
      cut();
      await sleep(1000);
    });
    expectWhole(seen);
    expect(seen.due.length).toBeGreaterThan(80);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('where nothing is left of it, that is what is said', async () => {
  const channel: TrafficChannel = {
    ...throughCommand((text) => [process.execPath, trafficProgram, text]),
    async recover() {
      return undefined;
    },
  };
  let abort = () => {};
  const lost: TrafficChannel = {
    ...channel,
    async run(text, io) {
      const controller = new AbortController();
      abort = () => controller.abort();
      await channel.run(text, { ...io, signal: controller.signal });
      return { problem: 'the connection broke', lost: true };
    },
  };
  const seen = await run(lost, undefined, async () => {
    await sleep(300);
    abort();
    await sleep(200);
  });
  expect(seen.problem).toBe('the connection broke');
});
