import { chmod, chown, mkdir, stat, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';

export interface LineServerOptions {
  /** Where to listen: a path, or the descriptor that systemd hands over. */
  readonly at: { readonly path: string; readonly group: number | undefined } | { readonly fd: number };
  /** One line in, one line out. Must not throw. */
  readonly handle: (line: string) => Promise<string>;
  readonly maxLine: number;
  readonly maxConnections: number;
}

/** Requests of one connection that may be under way; the next ones are not read before one is answered. */
const maxUnderWay = 16;

/**
 * One request a line, one answer a line, in order. Requests of a connection are begun as they come, so that a slow one
 * delays only the answers behind it. A line that is too long ends the connection: nothing after it can be made sense of.
 */
export async function serveLines(options: LineServerOptions): Promise<Server> {
  const server = createServer((socket) => attend(socket, options));
  server.maxConnections = options.maxConnections;
  const { at } = options;
  if ('fd' in at) {
    await listening(server, () => server.listen({ fd: at.fd }));
    return server;
  }
  await mkdir(dirname(at.path), { recursive: true });
  // What a killed process leaves behind; of a live one systemd runs only one.
  if ((await stat(at.path).catch(() => undefined))?.isSocket() === true) await unlink(at.path);
  const before = process.umask(0o117);
  try {
    await listening(server, () => server.listen(at.path));
  } finally {
    process.umask(before);
  }
  await chmod(at.path, 0o660);
  // Not permitted without CAP_CHOWN; the unit then runs with the group as its own.
  if (at.group !== undefined) await chown(at.path, process.getuid?.() ?? 0, at.group).catch(() => undefined);
  return server;
}

function attend(socket: Socket, { handle, maxLine }: LineServerOptions): void {
  let rest: Buffer = Buffer.alloc(0);
  let underWay = 0;
  let answers: Promise<unknown> = Promise.resolve();
  socket.on('error', () => socket.destroy());
  // A client that asks without reading is not served on: answers would pile up here.
  socket.setTimeout(0);
  const say = (text: string) => {
    if (!socket.destroyed && !socket.writableEnded) socket.write(`${text}\n`);
  };
  const take = () => {
    while (underWay < maxUnderWay && !socket.destroyed) {
      const end = rest.indexOf(10);
      if (end > maxLine || (end === -1 && rest.length > maxLine)) {
        rest = Buffer.alloc(0);
        const refusal = JSON.stringify({ ok: false, problem: `a line of more than ${maxLine} bytes` });
        void answers.then(() => socket.end(`${refusal}\n`));
        socket.removeAllListeners('data');
        socket.resume();
        return;
      }
      if (end === -1) break;
      const line = rest.subarray(0, end).toString();
      rest = rest.subarray(end + 1);
      underWay += 1;
      const answer = handle(line);
      answers = answers
        .then(() => answer)
        .then(say)
        .finally(() => {
          underWay -= 1;
          if (socket.isPaused() && underWay < maxUnderWay) {
            socket.resume();
            take();
          }
        });
    }
    if (underWay >= maxUnderWay) socket.pause();
  };
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    take();
  });
}

async function listening(server: Server, listen: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
    listen();
  });
}
