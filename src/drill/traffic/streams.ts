import { connect } from 'node:tls';
import { monotonicMs } from '../history/clock.ts';
import type { DrillRecord, WatchEnded } from '../history/record.ts';
import type { TrafficConfig } from './config.ts';
import { readAnswer, requestText } from './http1.ts';
import { outcomeOf } from './outcome.ts';
import { pause } from './pause.ts';
import type { Target } from './target.ts';

const pauseMs = 50;
const longestPauseMs = 1000;

/** Follows the log of a pod that ticks, as `kubectl logs --follow` does, and opens it again whenever it ends. */
export async function keepStreaming(
  config: TrafficConfig,
  target: Target,
  say: (record: DrillRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const { stream: wanted, client, host } = config;
  if (wanted === undefined) return;
  // What was printed before is of no interest: only whether the stream lives.
  const path = `${wanted.path}?follow=true&tailLines=0`;
  const request = requestText({ host, path, keep: true, authorization: target.authorization });
  let wait = pauseMs;
  for (let stream = 0; !signal.aborted; stream += 1) {
    const about = { is: 'stream' as const, client, stream };
    let opened = false;
    const how = await oneStream(target, request, signal, {
      opened: (server) => {
        opened = true;
        say({ ...about, at: monotonicMs(), what: 'opened', ...(server === undefined ? {} : { server }) });
      },
      tick: (tick) => say({ ...about, at: monotonicMs(), what: 'tick', tick }),
    });
    say({ ...about, at: monotonicMs(), what: 'ended', how });
    wait = opened ? pauseMs : Math.min(wait * 2, longestPauseMs);
    await pause(wait, signal);
  }
}

async function oneStream(
  target: Target,
  request: string,
  signal: AbortSignal,
  on: { readonly opened: (server: string | undefined) => void; readonly tick: (tick: number) => void },
): Promise<WatchEnded['how']> {
  return await new Promise((resolve) => {
    let text = '';
    const socket = connect(target.options);
    const end = (how: WatchEnded['how']) => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(how);
    };
    const stop = () => end('stopped');
    signal.addEventListener('abort', stop);
    socket.once('secureConnect', () => socket.write(request));
    readAnswer(socket, {
      head: (status, header) => {
        if (status === 200) on.opened(target.server(socket, header));
        else end('broken');
      },
      body: (piece) => {
        const lines = (text + piece).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          const tick = /^tick (\d+)$/.exec(line)?.[1];
          if (tick !== undefined) on.tick(Number(tick));
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
