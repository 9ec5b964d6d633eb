import { once } from 'node:events';
import { access } from 'node:fs/promises';
import type { AgentConfig } from '../config/config.ts';
import { pause } from '../pause.ts';
import { Asker } from './ask.ts';
import { mirrorServer } from './serve.ts';
import { type Seen, type Verdict, verdictOf } from './verdict.ts';

/** Often enough that a balancer's own interval is what counts: the shortest on offer is 1 s. */
const intervalMs = 500;
/** As the prober has it: on a node that is overloaded an answer takes a second, and that is no reason to eject it. */
const timeoutMs = 2000;

export interface MirrorOptions {
  /** Asked for before each look. */
  readonly config: () => Promise<AgentConfig>;
  /** The socket that systemd hands over; else it listens on the configured port. */
  readonly fd?: number | undefined;
  /** Ends when nobody has asked for so long; systemd starts it again with the next connection. */
  readonly idleMs?: number | undefined;
  readonly drainFile: string;
  readonly prober: () => Promise<'ready' | 'not-ready' | undefined>;
  readonly log: (text: string) => void;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Called when it listens, with its port. */
  readonly onListening?: (port: number) => void;
}

/**
 * The readiness mirror: a process of its own, so that restarting the agent, or its death on all masters, changes nothing
 * that a balancer sees. Serves until `signal` aborts, or nobody asks any more.
 */
export async function runMirror(opts: MirrorOptions): Promise<void> {
  const { signal, now, log } = opts;
  const first = await opts.config();
  if (first.mirror === undefined) throw new TypeError('The configuration has no mirror');
  using asker = new Asker();
  let seen: Seen = { is: 'never' };
  let drained = false;
  let said: Verdict | undefined;
  let askedAt = now();
  const looked = Promise.withResolvers<void>();
  const verdict = () => verdictOf(seen, drained, now());
  const server = mirrorServer(first.node.name, async () => {
    askedAt = now();
    // Who asks first may be why this process was started; a no that is only ignorance would cost it a backend.
    await looked.promise;
    return verdict();
  });
  server.listen(opts.fd === undefined ? { port: first.mirror.port } : { fd: opts.fd });
  await once(server, 'listening', { signal });
  const address = server.address();
  if (typeof address === 'object' && address !== null) opts.onListening?.(address.port);
  try {
    while (!signal.aborted && now() - askedAt < (opts.idleMs ?? Number.POSITIVE_INFINITY)) {
      const { node: self, endpoint, apiServerPort, ca } = await opts.config();
      const target = { address: self.addresses[0] ?? '127.0.0.1', port: apiServerPort, endpoint: endpoint.host, ca };
      [seen, drained] = await Promise.all([
        asker.ask(target, { timeoutMs, now, prober: opts.prober }),
        access(opts.drainFile).then(
          () => true,
          () => false,
        ),
      ]);
      looked.resolve();
      const current = verdict();
      if (current.ready !== said?.ready) log(`${current.ready ? 'ready' : 'not ready'}: ${current.because}`);
      said = current;
      await pause(intervalMs, signal);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
