import { createServer, type Server } from 'node:http';
import type { Verdict } from './verdict.ts';

/**
 * Answers every GET and HEAD with 200 or 503 and the reason. Balancers ask from outside: whatever they send, nothing of it
 * is kept, and nobody holds a connection for long.
 */
export function mirrorServer(machine: string, verdict: () => Promise<Verdict>): Server {
  const server = createServer(
    { headersTimeout: 2000, requestTimeout: 5000, keepAliveTimeout: 30_000, maxHeaderSize: 8192 },
    (request, response) => {
      request.resume();
      const isFine = request.method === 'GET' || request.method === 'HEAD';
      void verdict().then(({ ready, because }) => {
        const status = isFine ? (ready ? 200 : 503) : 405;
        const text = isFine ? `${machine}: ${because}\n` : `${machine}: only GET and HEAD\n`;
        response.writeHead(status, {
          'content-type': 'text/plain; charset=utf-8',
          'content-length': Buffer.byteLength(text),
          'cache-control': 'no-store',
        });
        response.end(request.method === 'HEAD' ? undefined : text);
      });
    },
  );
  server.maxConnections = 512;
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}
