import { readFileSync } from 'node:fs';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { text } from 'node:stream/consumers';
import { askControl } from '../control/client.ts';
import { serveControl } from '../control/server.ts';
import type { StoreReply } from '../store/store.ts';
import type { StandinConfig, StandinRequest, StandinStatus } from './control.ts';
import { answer, type Exchange, type StandinSwitches } from './handler.ts';

// A small TLS server in place of a kube-apiserver: `standin.main.ts CONFIG.json`, inside a master's network namespace.

const [file = ''] = process.argv.slice(2);
const config = JSON.parse(readFileSync(file, 'utf8')) as StandinConfig;
const switches: StandinSwitches = { ready: true, live: true, delayMs: 0, members: config.members ?? [] };
let requests = 0;
let connections = 0;

const server = createSecureServer(
  { allowHTTP1: true, cert: readFileSync(config.certFile), key: readFileSync(config.keyFile) },
  (request: Http2ServerRequest, response: Http2ServerResponse) => {
    requests += 1;
    response.on('error', () => undefined);
    const exchange: Exchange = {
      method: request.method,
      url: request.url,
      client: request.socket.remoteAddress ?? '',
      body: () => text(request),
      head: (status, headers) => void response.writeHead(status, { ...headers }),
      write: (text) => !response.writableEnded && response.write(text),
      end: (text) => {
        if (!response.writableEnded) response.end(text ?? '');
      },
      onClose: (then) => void response.once('close', then),
    };
    answer(config, switches, exchange, askStore).catch((error: unknown) => {
      // As an apiserver that has lost its etcd.
      exchange.head(500, {});
      exchange.end(String(error));
    });
  },
);
server.on('secureConnection', (socket) => {
  connections += 1;
  socket.once('close', () => {
    connections -= 1;
  });
});
// A client that speaks no TLS, such as a TCP health check, is nobody's mistake.
server.on('tlsClientError', () => undefined);
server.on('sessionError', () => undefined);

await new Promise<void>((resolve, reject) => {
  server.once('error', reject);
  // Every address of the namespace, also one that is added later, and both families.
  server.listen({ port: config.port, host: config.host ?? '::', backlog: 1024 }, resolve);
});
const control = await serveControl(config.socket, async (request) => handle(request as StandinRequest));

const stop = () => {
  control.close();
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

async function askStore(request: unknown): Promise<StoreReply> {
  if (config.store === undefined) throw new Error('this stand-in has no store');
  return (await askControl(config.store, request)) as StoreReply;
}

function handle(request: StandinRequest): StandinStatus {
  if (request.op === 'set') {
    switches.ready = request.ready ?? switches.ready;
    switches.live = request.live ?? switches.live;
    switches.delayMs = request.delayMs ?? switches.delayMs;
    switches.members = request.members ?? switches.members;
  }
  return { machine: config.machine, ...switches, connections, requests };
}
