import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';

/** At most this many readers at once; a status is small, but nobody needs more. */
const mostReaders = 16;

/** Writes one JSON document to everybody who connects, and hangs up. A socket left by an agent that was killed is replaced. */
export async function serveStatus(path: string, document: () => unknown): Promise<Server> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.setTimeout(2000, () => socket.destroy());
    // What a reader sends is of no interest, but must not pile up in the kernel.
    socket.resume();
    socket.end(`${JSON.stringify(document())}\n`);
  });
  server.maxConnections = mostReaders;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, 0o660);
  return server;
}
