import { connect } from 'node:tls';

// One connection that is used all the time: `flow.main.ts '{"host":…,"port":…,"everyMs":50,"forMs":2000}'` asks who is
// there every so often, on the same connection, and prints a line per answer and one about how it ended.

interface Wanted {
  readonly host: string;
  readonly port: number;
  readonly everyMs: number;
  readonly forMs: number;
}

const { host, port, everyMs, forMs } = JSON.parse(process.argv[2] ?? '') as Wanted;
const say = (is: string) => process.stdout.write(`${JSON.stringify({ at: Date.now(), is })}\n`);
const end = (is: string) => {
  say(is);
  process.exit(0);
};

const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
  setInterval(() => socket.write('GET /version HTTP/1.1\r\nhost: lab\r\n\r\n'), everyMs);
  setTimeout(() => end('alive'), forMs);
});
socket.setEncoding('utf8');
socket.on('data', (chunk: string) => {
  for (const [, machine] of chunk.matchAll(/^x-lab-machine: (\S+)/gim)) say(machine ?? '');
});
socket.once('error', (error: NodeJS.ErrnoException) =>
  end(error.code === 'ECONNRESET' ? 'reset' : (error.code ?? error.message)),
);
socket.once('end', () => end('closed'));
