import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';

/**
 * Control sockets of the lab's daemons: a Unix socket, one JSON object a line in each direction. Only root can reach
 * them (the lab's directory is root's), so there is no authentication. Imported by daemons: keep it light.
 */
export type Reply = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly problem: string };

/** Answers requests with what `handle` gives; what it throws becomes a `problem`. A socket left by a killed daemon is replaced. */
export async function serveControl(path: string, handle: (request: unknown) => Promise<unknown>): Promise<Server> {
  await rm(path, { force: true });
  const server = createServer((socket) => {
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        void answer(line, handle).then((reply) => socket.writable && socket.write(`${JSON.stringify(reply)}\n`));
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

async function answer(line: string, handle: (request: unknown) => Promise<unknown>): Promise<Reply> {
  try {
    return { ok: true, result: (await handle(JSON.parse(line))) ?? null };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}
