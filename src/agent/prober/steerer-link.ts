import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SteererAnswer, steererAnswers } from '../steerer/answers.ts';
import type { SteererRequest } from '../steerer/protocol.ts';

/** One connection to the steerer that comes back by itself. One question is under way at a time; answers are parsed. */
export interface SteererLink {
  readonly up: () => boolean;
  /** Throws in words when there is no connection, no answer in time, or one that is no answer; the link is then dialled anew. */
  ask<Op extends SteererRequest['op']>(
    request: Extract<SteererRequest, { op: Op }>,
    opts: { readonly timeoutMs: number },
  ): Promise<SteererAnswer<Op>>;
}

export interface LinkEvents {
  readonly up: () => void;
  /** `why` in words. Told for a first dial that fails too, and then once for each change of the reason. */
  readonly down: (why: string) => void;
}

const firstPauseMs = 50;
const longestPauseMs = 1000;
/** An answer is a line of addresses at most; a certificate with its chain stays below this too. */
const mostAnswerBytes = 256 * 1024;

/** Lives until `signal` aborts. */
export function openSteererLink(path: string, events: LinkEvents, opts: { readonly signal: AbortSignal }): SteererLink {
  const { signal } = opts;
  let socket: Socket | undefined;
  let rest = '';
  let waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void } | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const drop = (why: string) => {
    const error = new Error(why);
    socket?.destroy(error);
    waiting?.reject(error);
    waiting = undefined;
  };

  const take = (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      if (waiting === undefined) return drop('the steerer answered without being asked');
      waiting.resolve(line);
      waiting = undefined;
    }
    if (rest.length > mostAnswerBytes) drop(`the steerer's answer is longer than ${mostAnswerBytes} bytes`);
  };

  const keepConnected = async () => {
    let said: string | undefined;
    let pause = firstPauseMs;
    while (!signal.aborted) {
      const why = await new Promise<string>((resolve) => {
        let reason = 'the steerer closed the connection';
        const next = connect(path);
        next.setEncoding('utf8');
        next.on('connect', () => {
          rest = '';
          socket = next;
          said = undefined;
          pause = firstPauseMs;
          events.up();
        });
        next.on('data', take);
        next.on('error', (error) => {
          reason = error.message;
        });
        next.on('close', () => {
          socket = undefined;
          waiting?.reject(new Error(reason));
          waiting = undefined;
          signal.removeEventListener('abort', stop);
          resolve(reason);
        });
        const stop = () => next.destroy();
        signal.addEventListener('abort', stop, { once: true });
      });
      if (signal.aborted) return;
      if (why !== said) events.down(why);
      said = why;
      await sleep(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, longestPauseMs);
    }
  };
  void keepConnected();

  const askNow = async (request: SteererRequest, timeoutMs: number): Promise<unknown> => {
    const to = socket;
    if (to === undefined) throw new Error('there is no connection to the steerer');
    const line = await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => drop(`the steerer did not answer ${request.op} within ${timeoutMs} ms`), timeoutMs);
      waiting = {
        resolve: (text) => {
          clearTimeout(late);
          resolve(text);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      };
      to.write(`${JSON.stringify(request)}\n`);
    });
    try {
      const answer: unknown = JSON.parse(line);
      if (steererAnswers[request.op](answer)) return answer;
      throw new SyntaxError(request.op);
    } catch {
      drop(`the steerer's answer to ${request.op} cannot be understood`);
      throw new Error(`the steerer's answer to ${request.op} cannot be understood`);
    }
  };

  return {
    up: () => socket !== undefined,
    async ask(request, { timeoutMs }) {
      const before = turn;
      const mine = (async () => {
        await before.catch(() => undefined);
        return await askNow(request, timeoutMs);
      })();
      turn = mine;
      return (await mine) as SteererAnswer<typeof request.op>;
    },
  };
}
