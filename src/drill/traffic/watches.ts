import { connect } from 'node:tls';
import { monotonicMs } from '../history/clock.ts';
import type { DrillRecord, WatchEnded } from '../history/record.ts';
import type { TrafficConfig } from './config.ts';
import { readAnswer, requestText } from './http1.ts';
import { outcomeOf } from './outcome.ts';
import { pause } from './pause.ts';
import type { Target } from './target.ts';

type Watches = NonNullable<TrafficConfig['watches']>;

/** Watches that go on where they were when their connection ends, as client-go's reflector does. */
export async function keepWatching(
  config: TrafficConfig,
  target: Target,
  say: (record: DrillRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const { watches } = config;
  if (watches === undefined) return;
  await Promise.all(
    Array.from({ length: watches.count }, (_, watcher) => watchOne(config, watches, watcher, target, say, signal)),
  );
}

/** client-go begins with 800 ms and doubles; quicker here, so that the outage is the cluster's and not the pause. */
const firstPauseMs = 50;
const longestPauseMs = 1000;

async function watchOne(
  config: TrafficConfig,
  watches: Watches,
  watcher: number,
  target: Target,
  say: (record: DrillRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  let since: number | undefined;
  let wait = firstPauseMs;
  for (let stream = 0; !signal.aborted; stream += 1) {
    const about = { client: config.client, watcher, stream };
    // As client-go does: what is there is listed, what changes is watched from that version on.
    since ??= await listVersion(config, watches, target, signal);
    if (since === undefined) {
      say({ is: 'watch-ended', ...about, at: monotonicMs(), how: 'broken' });
      wait = Math.min(wait * 2, longestPauseMs);
      await pause(wait, signal);
      continue;
    }
    const from = since;
    let opened = false;
    const how = await oneStream(config, watches, target, since, signal, {
      opened: (server) => {
        opened = true;
        say({ is: 'watch-opened', ...about, at: monotonicMs(), server: server ?? '', since: from });
      },
      event: (version) => {
        since = version;
        say({ is: 'watch-event', ...about, at: monotonicMs(), version });
      },
    });
    say({ is: 'watch-ended', ...about, at: monotonicMs(), how });
    if (how === 'expired') since = undefined;
    wait = opened ? firstPauseMs : Math.min(wait * 2, longestPauseMs);
    await pause(wait, signal);
  }
}

const listPatienceMs = 5000;

/** The version of the collection now; `undefined` when nobody said it. */
async function listVersion(
  config: TrafficConfig,
  watches: Watches,
  target: Target,
  signal: AbortSignal,
): Promise<number | undefined> {
  const path = `${watches.path}${watches.path.includes('?') ? '&' : '?'}limit=1`;
  const request = requestText({ host: config.host, path, keep: false, authorization: target.authorization });
  return await new Promise((resolve) => {
    let body = '';
    const socket = connect(target.options);
    const end = (version: number | undefined) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(version);
    };
    const stop = () => end(undefined);
    signal.addEventListener('abort', stop);
    const limit = setTimeout(stop, listPatienceMs);
    socket.once('secureConnect', () => socket.write(request));
    readAnswer(socket, {
      head: (status) => {
        if (status !== 200) end(undefined);
      },
      body: (piece) => {
        body += piece;
      },
      complete: () => {
        const { metadata } = JSON.parse(body) as { metadata: { resourceVersion?: string } };
        end(Number(metadata.resourceVersion));
      },
    });
    socket.on('error', stop);
    socket.once('close', stop);
  });
}

async function oneStream(
  config: TrafficConfig,
  watches: Watches,
  target: Target,
  since: number,
  signal: AbortSignal,
  on: { readonly opened: (server: string | undefined) => void; readonly event: (version: number) => void },
): Promise<WatchEnded['how']> {
  const query = `watch=true&resourceVersion=${since}`;
  const request = requestText({
    host: config.host,
    path: `${watches.path}${watches.path.includes('?') ? '&' : '?'}${query}`,
    keep: true,
    authorization: target.authorization,
  });
  return await new Promise((resolve) => {
    let text = '';
    const socket = connect(target.options);
    const end = (how: WatchEnded['how']) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(how);
    };
    const stop = () => end('stopped');
    signal.addEventListener('abort', stop);
    const limit = watches.silentMs === undefined ? undefined : setTimeout(() => end('timeout'), watches.silentMs);
    socket.once('secureConnect', () => socket.write(request));
    readAnswer(socket, {
      head: (status, header) => {
        if (status === 410) end('expired');
        else if (status !== 200) end('broken');
        else on.opened(target.server(socket, header));
      },
      body: (piece) => {
        limit?.refresh();
        const lines = (text + piece).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          if (line === '') continue;
          const { type, object } = JSON.parse(line) as {
            type: string;
            object: { code?: number; metadata?: { resourceVersion?: string } };
          };
          if (type === 'ERROR') {
            end(object.code === 410 ? 'expired' : 'broken');
            return;
          }
          on.event(Number(object.metadata?.resourceVersion));
        }
      },
      complete: () => end('closed'),
    });
    socket.on('error', (error) => {
      const { is } = outcomeOf(error);
      end(is === 'refused' || is === 'reset' || is === 'timeout' ? is : 'broken');
    });
    socket.once('close', () => end('closed'));
  });
}
