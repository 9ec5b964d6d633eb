import { connect } from 'node:tls';
import { readAnswer, requestText } from './http1.ts';
import type { Target } from './target.ts';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** `undefined`: no answer came. */
export type Ask = (method: string, path: string, body?: string) => Promise<Reply | undefined>;

/** One question at a time over a connection that is kept; after one that was not answered comes a new connection. */
export function createAsker(host: string, target: Target, patienceMs: number): { ask: Ask; close: () => void } {
  let socket: ReturnType<typeof connect> | undefined;
  let settle: ((reply: Reply | undefined) => void) | undefined;

  const open = () => {
    const fresh = connect(target.options);
    let status = 0;
    let body = '';
    const lost = () => {
      if (socket !== fresh) return;
      socket = undefined;
      settle?.(undefined);
    };
    readAnswer(fresh, {
      head: (code) => {
        status = code;
        body = '';
      },
      body: (piece) => {
        body += piece;
      },
      complete: () => settle?.({ status, body }),
    });
    fresh.on('error', lost);
    fresh.once('close', lost);
    return fresh;
  };

  return {
    async ask(method, path, body) {
      socket ??= open();
      const asked = socket;
      const request = requestText({
        method,
        host,
        path,
        keep: true,
        authorization: target.authorization,
        ...(body === undefined ? {} : { body }),
      });
      const reply = await new Promise<Reply | undefined>((resolve) => {
        const limit = setTimeout(() => settle?.(undefined), patienceMs);
        settle = (result) => {
          clearTimeout(limit);
          settle = undefined;
          resolve(result);
        };
        asked.write(request);
      });
      if (reply === undefined) {
        asked.destroy();
        if (socket === asked) socket = undefined;
      }
      return reply;
    },
    close: () => socket?.destroy(),
  };
}
