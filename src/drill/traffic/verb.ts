import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../history/clock.ts';
import type { DrillRecord } from '../history/record.ts';
import type { TrafficConfig, TrafficReply, TrafficRequest } from './config.ts';
import { keptConnections } from './kept.ts';
import { newConnections } from './new-connections.ts';
import { keepOperating } from './operations.ts';
import { keepSampling } from './samples.ts';
import { keepStreaming } from './streams.ts';
import { targetOf } from './target.ts';
import { keepWatching } from './watches.ts';

/** How long a process whose stream broke goes on: long enough for the fault that cut it, and no drill leaves more behind. */
const aloneMs = 90_000;

/**
 * The traffic of one client class: `agent traffic CONFIG.json-text`, run inside that client's network. Records go to
 * standard output until standard input ends or says stop; a last one tells how well the plan was kept. With a spool they
 * are written down as well, and a broken stream does not end them: the fault may have cut the one who listens off.
 */
export async function trafficVerb([text = '']: readonly string[]): Promise<void> {
  const config = JSON.parse(text) as TrafficConfig;
  const target = targetOf(config);
  const stopped = new AbortController();
  const go = new AbortController();
  const spool = config.spool === undefined ? undefined : openSpool(config.spool);
  let heard = true;

  let lines = '';
  const say = (record: DrillRecord | TrafficReply) => {
    lines += `${JSON.stringify(record)}\n`;
  };
  /** In batches: a write is a system call and a wake-up of the reader. */
  const flush = () => {
    if (lines === '') return;
    if (heard) process.stdout.write(lines);
    if (spool !== undefined) writeSync(spool, lines);
    lines = '';
  };
  const flusher = setInterval(flush, 100);

  let rest = '';
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (chunk: string) => {
    const received = (rest + chunk).split('\n');
    rest = received.pop() ?? '';
    for (const line of received) {
      const request = JSON.parse(line) as TrafficRequest;
      if (request.op === 'stop') stopped.abort();
      else if (request.op === 'go') go.abort();
      else {
        // Not batched: the time that it takes is what is measured.
        process.stdout.write(`${JSON.stringify({ is: 'clock', id: request.id, at: monotonicMs() })}\n`);
      }
    }
  });
  const alone = () => {
    // Also the end of what was said after `stop`.
    if (spool === undefined || stopped.signal.aborted) {
      stopped.abort();
      return;
    }
    heard = false;
    setTimeout(() => stopped.abort(), aloneMs).unref();
  };
  process.stdin.once('end', alone);
  process.stdin.on('error', alone);
  process.once('SIGTERM', () => stopped.abort());
  process.once('SIGHUP', alone);
  process.stdout.on('error', () => {
    if (spool === undefined) process.exit(1);
    heard = false;
  });

  try {
    // What measures must not wait for what is measured.
    setPriority(-10);
  } catch {
    // Not root: then the lateness tells.
  }
  say({ is: 'ready', at: monotonicMs() });
  flush();
  await aborted(AbortSignal.any([go.signal, stopped.signal]));
  const before = process.cpuUsage();
  const begun = monotonicMs();
  const [lateness] = await Promise.all([
    newConnections(config, target, say, stopped.signal),
    keptConnections(config, target, say, stopped.signal),
    keepWatching(config, target, say, stopped.signal),
    keepOperating(config, target, say, stopped.signal),
    keepStreaming(config, target, say, stopped.signal),
    keepSampling(config, target, say, stopped.signal),
  ]);
  await aborted(stopped.signal);
  const { user, system } = process.cpuUsage(before);
  say({
    is: 'engine',
    client: config.client,
    at: monotonicMs(),
    forMs: Math.round(monotonicMs() - begun),
    ...lateness,
    cpuMs: Math.round((user + system) / 1000),
  });
  clearInterval(flusher);
  flush();
  if (spool !== undefined) closeSync(spool);
  process.stdin.destroy();
  // A pipe that nobody reads any more must not keep this process for ever.
  await sleep(50);
  process.exit(0);
}

/** Beside it is the process's number, for who comes back to end it. */
function openSpool(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.pid`, `${process.pid}\n`);
  return openSync(path, 'w', 0o600);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
