import type { TLSSocket } from 'node:tls';

/** The request as text. Node's own client costs three times as much processor time as the handshake around it. */
export function requestText(opts: {
  readonly method?: string;
  readonly host: string;
  readonly path: string;
  readonly keep: boolean;
  readonly authorization?: string | undefined;
  readonly body?: string;
}): string {
  const host = opts.host.includes(':') ? `[${opts.host}]` : opts.host;
  return [
    `${opts.method ?? 'GET'} ${opts.path} HTTP/1.1`,
    `host: ${host}`,
    'user-agent: hairpin-drill',
    ...(opts.keep ? [] : ['connection: close']),
    ...(opts.authorization === undefined ? [] : [`authorization: ${opts.authorization}`]),
    ...(opts.body === undefined
      ? []
      : ['content-type: application/json', `content-length: ${Buffer.byteLength(opts.body)}`]),
    '',
    opts.body ?? '',
  ].join('\r\n');
}

/**
 * Reads one answer off a socket and hands over what follows the head as it comes. `complete` is called when the body has
 * ended by length or by chunks; one that lasts until the connection ends is the caller's to notice.
 */
export function readAnswer(
  socket: TLSSocket,
  on: {
    readonly head: (status: number, server: string | undefined) => void;
    readonly body: (text: string) => void;
    readonly complete: () => void;
  },
): void {
  let state: 'head' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'rest' = 'head';
  let pending = '';
  let left = 0;
  socket.setEncoding('latin1');
  socket.on('data', (piece: string) => {
    pending += piece;
    for (;;) {
      if (state === 'head') {
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = pending.slice(0, end);
        pending = pending.slice(end + 4);
        const status = Number(head.slice(9, 12));
        on.head(status, /\r\nx-lab-machine: *(\S+)/i.exec(head)?.[1]);
        const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
        if (/\r\ntransfer-encoding: *chunked/i.test(head)) state = 'chunk-size';
        else if (length !== undefined) {
          left = Number(length);
          state = 'length';
        } else state = 'rest';
      }
      if (state === 'length') {
        if (pending.length < left) return;
        if (left > 0) on.body(pending.slice(0, left));
        pending = pending.slice(left);
        state = 'head';
        on.complete();
        if (pending === '') return;
        continue;
      }
      if (state === 'rest') {
        if (pending !== '') on.body(pending);
        pending = '';
        return;
      }
      if (state === 'chunk-size') {
        const end = pending.indexOf('\r\n');
        if (end < 0) return;
        left = Number.parseInt(pending.slice(0, end), 16);
        pending = pending.slice(end + 2);
        state = left === 0 ? 'chunk-end' : 'chunk';
      }
      if (state === 'chunk') {
        if (pending.length < left + 2) return;
        on.body(pending.slice(0, left));
        pending = pending.slice(left + 2);
        state = 'chunk-size';
        continue;
      }
      if (state === 'chunk-end') {
        if (pending.length < 2) return;
        pending = pending.slice(2);
        state = 'head';
        on.complete();
        if (pending === '') return;
      }
    }
  });
}
