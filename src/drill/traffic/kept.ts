import { connect, type TLSSocket } from 'node:tls';
import { monotonicMs } from '../history/clock.ts';
import type { DrillRecord, Outcome } from '../history/record.ts';
import type { TrafficConfig } from './config.ts';
import { readAnswer, requestText } from './http1.ts';
import { outcomeOf, outcomeOfStatus } from './outcome.ts';
import { pause } from './pause.ts';
import type { Target } from './target.ts';

/** Keeps connections and asks over each, one question at a time; one that fails is replaced, as any client does. */
export async function keptConnections(
  config: TrafficConfig,
  target: Target,
  say: (record: DrillRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const { kept } = config;
  if (kept === undefined) return;
  await Promise.all(Array.from({ length: kept.count }, () => keepOne(config, kept, target, say, signal)));
}

async function keepOne(
  config: TrafficConfig,
  kept: NonNullable<TrafficConfig['kept']>,
  target: Target,
  say: (record: DrillRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const request = requestText({ host: config.host, path: kept.path, keep: true });
  let connection: Connection | undefined;
  let due = monotonicMs();
  while (!signal.aborted) {
    const scheduledAt = due;
    const startedAt = monotonicMs();
    connection ??= open(target);
    const { outcome, server } = await ask(connection, request, kept.patienceMs);
    const who = server === undefined ? {} : { server };
    const endedAt = monotonicMs();
    say({ is: 'attempt', client: config.client, over: 'kept', scheduledAt, startedAt, endedAt, outcome, ...who });
    if (outcome.is !== 'ok' && outcome.is !== 'http') {
      connection.socket.destroy();
      connection = undefined;
    }
    due = Math.max(due + kept.everyMs, monotonicMs());
    await pause(due - monotonicMs(), signal);
  }
  connection?.socket.destroy();
}

interface Connection {
  readonly socket: TLSSocket;
  /** Who is at the other end, once it has answered. */
  server: string | undefined;
  settle: ((outcome: Outcome) => void) | undefined;
  ended: Outcome | undefined;
}

function open(target: Target): Connection {
  const socket = connect(target.options);
  const connection: Connection = { socket, server: undefined, settle: undefined, ended: undefined };
  let status = 0;
  const end = (outcome: Outcome) => {
    connection.ended ??= outcome;
    connection.settle?.(outcome);
  };
  readAnswer(socket, {
    head: (code, header) => {
      status = code;
      connection.server = target.server(socket, header);
    },
    body: () => undefined,
    complete: () => connection.settle?.(outcomeOfStatus(status)),
  });
  socket.on('error', (error) => end(outcomeOf(error)));
  socket.once('close', () => end({ is: 'closed' }));
  return connection;
}

async function ask(
  connection: Connection,
  request: string,
  patienceMs: number,
): Promise<{ outcome: Outcome; server: string | undefined }> {
  const outcome = await new Promise<Outcome>((resolve) => {
    if (connection.ended !== undefined) {
      resolve(connection.ended);
      return;
    }
    const limit = setTimeout(() => connection.settle?.({ is: 'timeout', during: 'answer' }), patienceMs);
    connection.settle = (result) => {
      clearTimeout(limit);
      connection.settle = undefined;
      resolve(result);
    };
    connection.socket.write(request);
  });
  return { outcome, server: connection.server };
}
