import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer as createTcp, type Socket } from 'node:net';
import { createServer as createTls, type TLSSocket } from 'node:tls';

// An apiserver that does its worst: `hostile.main.ts CONFIG-AS-JSON`. It has a good certificate, so it is spoken to.

const config = JSON.parse(process.argv[2] ?? '{}') as {
  readonly does: string;
  readonly host: string;
  readonly port: number;
  readonly certFile: string;
  readonly keyFile: string;
};
const secrets = { cert: readFileSync(config.certFile), key: readFileSync(config.keyFile) };
const listen = { host: config.host, port: config.port };

/** Writes for as long as the other side takes it; a full socket waits. */
function flood(socket: Socket, chunk: () => Buffer): void {
  const pump = () => {
    for (let i = 0; i < 64; i += 1) if (socket.destroyed || !socket.write(chunk())) return;
    setImmediate(pump);
  };
  socket.on('drain', pump);
  socket.on('error', () => socket.destroy());
  pump();
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
const settings = frame(4, 0, 0, Buffer.alloc(0));
const setting = (id: number, value: number) => {
  const one = Buffer.alloc(6);
  one.writeUInt16BE(id, 0);
  one.writeUInt32BE(value, 2);
  return one;
};

/** After the handshake and a preface of our own. */
const frames: Readonly<Record<string, (socket: TLSSocket) => void>> = {
  'garbage over TLS': (socket) => flood(socket, () => randomBytes(16_384)),
  'a flood of SETTINGS': (socket) => {
    socket.write(settings);
    flood(socket, () =>
      frame(4, 0, 0, Buffer.concat([setting(3, Math.floor(Math.random() * 1000)), setting(4, 65_535)])),
    );
  },
  'a flood of PINGs': (socket) => {
    socket.write(settings);
    flood(socket, () => frame(6, 0, 0, randomBytes(8)));
  },
  'GOAWAY at once': (socket) => {
    socket.write(settings);
    socket.write(frame(7, 0, 0, Buffer.concat([Buffer.alloc(8), randomBytes(1000)])));
  },
  'headers without an end': (socket) => {
    socket.write(settings);
    socket.write(frame(4, 1, 0, Buffer.alloc(0)));
    socket.once('data', () => {
      socket.write(frame(1, 0, 1, Buffer.from([0x88])));
      flood(socket, () =>
        frame(9, 0, 1, Buffer.concat([Buffer.from([0x00, 0x01, 0x61, 0x7f, 0xff, 0x3f]), randomBytes(16_000)])),
      );
    });
  },
  'frames of streams that nobody opened': (socket) => {
    socket.write(settings);
    flood(socket, () => frame(0, 0, 1 + 2 * Math.floor(Math.random() * 1e6), randomBytes(100)));
  },
  'bytes one at a time': (socket) => {
    const bytes = Buffer.concat([settings, frame(6, 0, 0, Buffer.alloc(8))]);
    let at = 0;
    const timer = setInterval(() => {
      if (socket.destroyed) clearInterval(timer);
      else socket.write(bytes.subarray(at % bytes.length, (at++ % bytes.length) + 1));
    }, 50);
  },
};

const endpointsOf = (body: string | undefined) =>
  createSecureServer(secrets, (request, response) => {
    response.on('error', () => undefined);
    if (request.url === '/readyz') {
      response.end('ok');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    if (body !== undefined) {
      response.end(body);
      return;
    }
    const pump = () => {
      while (!response.destroyed && response.write('['.repeat(10_000)));
    };
    response.on('drain', pump);
    pump();
  });

function server() {
  const { does } = config;
  if (does === 'garbage instead of TLS') return createTcp((socket) => flood(socket, () => randomBytes(16_384)));
  if (does === 'no handshake') return createTcp((socket) => void socket.on('error', () => socket.destroy()).resume());
  if (does === 'a handshake one byte at a time') {
    return createTcp((socket) => {
      socket.on('error', () => socket.destroy()).resume();
      const timer = setInterval(
        () => (socket.destroyed ? clearInterval(timer) : socket.write(Buffer.from([0x16]))),
        100,
      );
    });
  }
  if (does === 'another protocol')
    return createTls({ ...secrets, ALPNProtocols: ['http/1.1'] }, (socket) => socket.resume());
  if (does === 'a /readyz without an end') {
    return createSecureServer(secrets, (_request, response) => {
      response.on('error', () => undefined);
      response.writeHead(200);
      const pump = () => {
        while (!response.destroyed && response.write('ok'.repeat(10_000)));
      };
      response.on('drain', pump);
      pump();
    });
  }
  if (does === 'Endpoints without an end') return endpointsOf(undefined);
  if (does === 'Endpoints full of nonsense') {
    const ips = [
      '127.0.0.1',
      '::1',
      '10.99.1.1',
      '0.0.0.0',
      '$(reboot)',
      '10.99.0.9; flush ruleset',
      '\u0000',
      'fe80::1%lo',
    ];
    const addresses = ips.map((ip) => ({ ip }));
    return endpointsOf(JSON.stringify({ kind: 'Endpoints', subsets: [{ addresses, ports: [{ port: config.port }] }] }));
  }
  const misbehave = frames[does];
  if (misbehave === undefined) throw new Error(`nobody does ${does}`);
  return createTls({ ...secrets, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
    misbehave(socket);
  });
}

const made = server();
made.on('error', () => undefined);
made.on('tlsClientError', () => undefined);
made.on('sessionError', () => undefined);
made.listen(listen, () => console.log('listening'));
