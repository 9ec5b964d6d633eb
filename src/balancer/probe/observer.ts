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
  const ended = running.then(
    (result) =>
      new OperatorError('PROBE_LISTENER', `The throw-away listener on ${node.name} did not start`, {
        cause: failed ?? (result.stderr.trim() || `it ended with ${result.exitCode}`),
        hint: `see what uses port ${observing.listenOn.join(', ')} on ${node.name}: ss -lntp`,
      }),
    (error: unknown) => error,
  );
  const first = await Promise.race([once(lines, 'ready').then(() => undefined), ended]);
  if (first !== undefined) throw first;
  return {
    get counting() {
      return counting;
    },
    seen,
    async [Symbol.asyncDispose]() {
      stop.abort(new OperatorError('INTERRUPTED', 'The probe is over'));
      await ended;
    },
  };
}
