import { execFile } from 'node:child_process';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { type SteererRequest, steererRequest } from '../../../src/agent/steerer/protocol.ts';

const run = promisify(execFile);

export interface FakeSteerer extends AsyncDisposable {
  /** What was asked, in order, without errands. */
  readonly asked: { readonly at: number; readonly request: SteererRequest }[];
  /** Where new connections would go. */
  backends(): readonly string[];
  /** The next answers, instead of the truth: text to send, or `undefined` to say nothing at all. */
  answers: ((request: SteererRequest) => string | undefined) | undefined;
  credentials: { cert: string; key: string } | undefined;
  /** Takes the renewing rule away, as `nft flush ruleset` by somebody else would. */
  flush(): Promise<void>;
  /** Ends every connection and listens no more, as a stopped unit; `start` again is a restart. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/**
 * The steerer's side of the protocol without its tables: what is asked is parsed and written down, and only the rule that
 * takes renewing datagrams is real, in the network namespace of the process `pid`.
 */
export async function fakeSteerer(
  path: string,
  opts: { readonly pid: number; readonly port: number },
): Promise<FakeSteerer> {
  const asked: { at: number; request: SteererRequest }[] = [];
  const sockets = new Set<Socket>();
  let backends: readonly string[] = [];
  let endpoints: readonly string[] = [];
  let epoch = 0;
  let made = '';

  const nft = async (text: string) => {
    const child = run('nsenter', ['-t', `${opts.pid}`, '-n', 'nft', '-f', '-']);
    child.child.stdin?.end(text);
    await child;
  };
  const there = async () =>
    await run('nsenter', ['-t', `${opts.pid}`, '-n', 'nft', 'list', 'table', 'inet', 'fake']).then(
      () => true,
      () => false,
    );

  const handle = async (request: SteererRequest): Promise<unknown> => {
    switch (request.op) {
      case 'ensure': {
        const key = request.endpoints.join();
        if (made !== key || !(await there())) {
          epoch += 1;
          const rules = request.endpoints
            .map(
              (ip) =>
                `add rule inet fake out ${ip.includes(':') ? 'ip6' : 'ip'} daddr ${ip} udp dport ${opts.port} drop`,
            )
            .join('\n');
          await nft(
            `add table inet fake\nflush table inet fake\nadd chain inet fake out { type filter hook output priority -300; }\n${rules}\n`,
          );
          made = key;
          backends = [];
        }
        endpoints = request.endpoints;
        return { ok: true, endpoints, problems: [], epoch, holdWorks: true };
      }
      case 'steer':
        backends = request.backends;
        return { ok: true, ms: 1 };
      case 'reset':
        return { ok: true, node: 1, pods: 0, ms: 1 };
      case 'credentials':
        return fake.credentials === undefined
          ? { ok: true, none: 'there is no kubeconfig' }
          : { ok: true, ...fake.credentials };
      case 'fresh':
        // Nobody opens any.
        return await new Promise(() => undefined);
      case 'status':
        return { ok: true, endpoints: [], backends, hold: false, steered: 0, held: 0 };
    }
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    let rest = '';
    let turn: Promise<unknown> = Promise.resolve();
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const request = steererRequest.parse(JSON.parse(line));
        if (request.op !== 'credentials' && request.op !== 'status' && request.op !== 'fresh')
          asked.push({ at: performance.now(), request });
        turn = turn.then(async () => {
          const answer = fake.answers === undefined ? JSON.stringify(await handle(request)) : fake.answers(request);
          if (answer !== undefined && socket.writable) socket.write(`${answer}\n`);
        });
      }
    });
  });

  const fake: FakeSteerer = {
    asked,
    backends: () => backends,
    answers: undefined,
    credentials: undefined,
    async flush() {
      await nft('flush ruleset\n');
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async start() {
      await rm(path, { force: true });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, resolve);
      });
      await chmod(path, 0o666);
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await fake.stop();
    },
  };
  await fake.start();
  return fake;
}
