import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

// A client of the lab: `dial.main.ts '{"host":…,"port":…,"tries":30,"connectMs":500}'` dials that many times at once and
// prints, as JSON, who answered each or what went wrong, with the milliseconds it took.

interface Wanted {
  readonly host: string;
  readonly port: number;
  readonly tries: number;
  readonly connectMs: number;
}

const wanted = JSON.parse(process.argv[2] ?? '') as Wanted;
const outcomes = await Promise.all(Array.from({ length: wanted.tries }, () => dial(wanted)));
process.stdout.write(JSON.stringify(outcomes));

/** Connect, TLS, one request. Only the connect has a short limit: on a busy machine a handshake may take its time. */
async function dial({ host, port, connectMs }: Wanted): Promise<{ is: string; ms: number }> {
  const start = performance.now();
  const is = await new Promise<string>((resolve) => {
    const tcp = connectTcp({ host, port });
    const limit = setTimeout(() => {
      tcp.destroy();
      resolve('timeout');
    }, connectMs);
    const overall = setTimeout(() => resolve('silence'), connectMs + 10_000);
    tcp.once('error', (error: NodeJS.ErrnoException) => resolve(nameOf(error)));
    tcp.once('connect', () => {
      clearTimeout(limit);
      const tls = connectTls({ socket: tcp, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () =>
        tls.write('GET /version HTTP/1.1\r\nhost: lab\r\nconnection: close\r\n\r\n'),
      );
      let text = '';
      tls.setEncoding('utf8');
      tls.on('data', (chunk: string) => {
        text += chunk;
      });
      tls.once('error', (error: NodeJS.ErrnoException) => resolve(nameOf(error)));
      tls.once('close', () => resolve(/^x-lab-machine: (\S+)/im.exec(text)?.[1] ?? 'closed'));
    });
    tcp.once('close', () => {
      clearTimeout(limit);
      clearTimeout(overall);
    });
  });
  return { is, ms: Math.round(performance.now() - start) };
}

function nameOf(error: NodeJS.ErrnoException): string {
  return error.code === 'ECONNREFUSED' ? 'refused' : (error.code ?? error.message);
}
