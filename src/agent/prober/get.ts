import type { ClientHttp2Session } from 'node:http2';

/** One GET over a connection that is kept anyway. */
export interface Got {
  readonly status: number;
  readonly body: string;
}

/** Throws in words when no whole answer of at most `mostBytes` comes within `timeoutMs`. */
export async function get(
  session: ClientHttp2Session,
  path: string,
  opts: { readonly timeoutMs: number; readonly mostBytes: number; readonly signal: AbortSignal },
): Promise<Got> {
  return await new Promise<Got>((resolve, reject) => {
    if (session.destroyed || session.closed) {
      reject(new Error('the connection has gone'));
      return;
    }
    const request = session.request({ ':path': path, accept: 'application/json' });
    const fail = (why: string) => {
      reject(new Error(why));
      request.close();
    };
    const late = setTimeout(() => fail(`${path} did not answer within ${opts.timeoutMs} ms`), opts.timeoutMs);
    const stop = () => fail('stopped');
    opts.signal.addEventListener('abort', stop, { once: true });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    request.on('response', (headers) => {
      status = Number(headers[':status']);
    });
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > opts.mostBytes) fail(`${path} gave more than ${opts.mostBytes} bytes`);
      else chunks.push(chunk);
    });
    request.on('end', () => {
      if (status > 0) resolve({ status, body: Buffer.concat(chunks).toString('utf8') });
    });
    request.on('error', (error) => reject(error));
    request.on('close', () => {
      clearTimeout(late);
      opts.signal.removeEventListener('abort', stop);
      reject(new Error(`${path} was cut off`));
    });
    request.end();
  });
}
