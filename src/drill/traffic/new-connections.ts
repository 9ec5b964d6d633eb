import { monotonicMs } from '../history/clock.ts';
import type { DrillRecord, Outcome } from '../history/record.ts';
import type { TrafficConfig } from './config.ts';
import { readAnswer, requestText } from './http1.ts';
import { type Lateness, openLoop } from './open-loop.ts';
import { outcomeOf, outcomeOfStatus } from './outcome.ts';
import type { Target } from './target.ts';

/** New TLS connections at a fixed rate, one request each, until `signal` aborts; those under way then are waited for. */
export async function newConnections(
  config: TrafficConfig,
  target: Target,
  say: (record: DrillRecord) => void,
  signal: AbortSignal,
): Promise<Lateness> {
  const { client, connections } = config;
  if (connections === undefined) return { planned: 0, started: 0, lateMs: { p50: 0, p99: 0, max: 0 } };
  const request = requestText({ host: config.host, path: connections.path, keep: false });
  const underWay = new Set<Promise<void>>();
  const lateness = await openLoop(
    connections.perSecond,
    (scheduledAt) => {
      const startedAt = monotonicMs();
      const one = async () => {
        const { outcome, server } = await attempt(target, request, connections.patienceMs);
        const endedAt = monotonicMs();
        const who = server === undefined ? {} : { server };
        say({ is: 'attempt', client, over: 'new', scheduledAt, startedAt, endedAt, outcome, ...who });
        underWay.delete(done);
      };
      const done = one();
      underWay.add(done);
    },
    signal,
  );
  await Promise.all(underWay);
  return lateness;
}

interface Ended {
  readonly outcome: Outcome;
  readonly server: string | undefined;
}

async function attempt(target: Target, request: string, patienceMs: number): Promise<Ended> {
  return await new Promise((resolve) => {
    let during: 'connect' | 'tls' | 'answer' = 'connect';
    let server: string | undefined;
    let status = 0;
    const socket = target.open();
    const end = (outcome: Outcome) => {
      clearTimeout(limit);
      socket.destroy();
      resolve({ outcome, server });
    };
    const limit = setTimeout(() => end({ is: 'timeout', during }), patienceMs);
    socket.once('connect', () => {
      during = 'tls';
    });
    socket.once('secureConnect', () => {
      during = 'answer';
      socket.write(request);
    });
    readAnswer(socket, {
      head: (code, header) => {
        status = code;
        server = target.server(socket, header);
      },
      body: () => undefined,
      complete: () => end(outcomeOfStatus(status)),
    });
    socket.on('error', (error) => end(outcomeOf(error)));
    socket.once('close', () => end(status === 0 ? { is: 'closed' } : outcomeOfStatus(status)));
  });
}
