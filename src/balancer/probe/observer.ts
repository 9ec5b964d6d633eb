import { EventEmitter, once } from 'node:events';
import { OperatorError } from '../../errors/operator-error.ts';
import type { NodePort } from '../../node/port.ts';
import { type Observing, observeArgv } from './observe-script.ts';

/** A connection that the throw-away listener saw and that was not the probe's own. */
export interface Seen {
  readonly peer: string;
  readonly port: number;
  readonly kind: 'http' | 'tls' | 'tcp';
}

/** What runs on one node while it is probed. Disposing ends it and waits until the node has cleaned up. */
export interface Observer extends AsyncDisposable {
  readonly counting: boolean;
  readonly seen: readonly Seen[];
  /** Why it ended although nobody stopped it; what was measured without it means nothing. */
  readonly ended: unknown;
}

/** Starts counting and, where wanted, serving; resolves when both are under way. */
export async function startObserver(node: NodePort, observing: Observing, signal: AbortSignal): Promise<Observer> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const lines = new EventEmitter();
  const seen: Seen[] = [];
  let counting = false;
  let failed: string | undefined;
  const running = node.change(observeArgv(observing), {
    // Not the caller's signal: an interrupted probe cleans up first, and that needs the connection.
    signal: stop.signal,
    timeout: (observing.lifeSeconds + 10) * 1000,
    onLine: (stream, line) => {
      if (stream !== 'stdout') return;
      const [word, ...rest] = line.split(' ');
      if (word === 'counting') counting = true;
      if (word === 'failed') failed = rest.slice(1).join(' ');
      if (word === 'seen' && rest[2] !== 'probe') {
        seen.push({ peer: rest[0] ?? '', port: Number(rest[1]), kind: rest[2] as Seen['kind'] });
      }
      if (word === 'ready') lines.emit('ready');
    },
  });
  let endedBy: unknown;
  const ended = running
    .then(
      (result) =>
        new OperatorError('PROBE_LISTENER', `What measures on ${node.name} ended by itself`, {
          cause: failed ?? (result.stderr.trim().split('\n').at(-1) || `exit code ${result.exitCode}`),
          hint: `see what uses port ${observing.listenOn.join(', ')} on ${node.name}: ss -lntp`,
        }),
      (error: unknown) => error,
    )
    .then((error) => {
      endedBy = error;
      return error;
    });
  const first = await Promise.race([
    once(lines, 'ready', { signal }).then(
      () => undefined,
      () => signal.reason as unknown,
    ),
    ended,
  ]);
  if (first !== undefined) {
    stop.abort(first);
    await ended;
    throw first;
  }
  return {
    get counting() {
      return counting;
    },
    seen,
    get ended() {
      return endedBy;
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new OperatorError('INTERRUPTED', 'The probe is over'));
      await ended;
    },
  };
}
