import { spawn } from 'node:child_process';
import { type Address, parseAddress } from '../../std/address.ts';

/**
 * Which backends new connections to the endpoint have just gone to. Workers are many and ask apiservers seldom; a connection
 * that somebody opens is the occasion to ask the one it goes to. The node's own kernel tells of it
 * (`conntrack --event --event-mask NEW`), so it costs apiservers a PING for a connection that they serve anyway.
 */
export interface Fresh extends Disposable {
  /** Waits for the first that comes, at most `waitMs`: addresses of backends, each once, since this was asked the last time. */
  next(endpoints: readonly Address[], port: number): Promise<readonly string[]>;
}

export interface FreshDeps {
  /** Lines that a program prints until it ends; `close` ends it. */
  readonly follow: (argv: readonly [string, ...string[]], onLine: (line: string) => void) => Following;
  readonly log: (text: string) => void;
}

export interface Following {
  readonly ended: Promise<string>;
  /** Whether lines are wanted; what comes meanwhile waits, and what does not fit is lost. */
  listen(on: boolean): void;
  close(): void;
}

const waitMs = 20_000;
/** Nobody has asked for so long: the prober has gone. */
const idleMs = 60_000;
const againMs = 5000;
/** No node has more apiservers. */
const mostBackends = 64;
/** Of what has come at once the last lines say who is dialled now. */
const mostLines = 64;

export function followFresh(deps: FreshDeps): Fresh {
  let following: { readonly key: string; readonly programs: readonly Following[] } | undefined;
  let seen = new Set<string>();
  let wake = () => {};
  let idle: NodeJS.Timeout | undefined;
  let notBefore = Number.NEGATIVE_INFINITY;

  /**
   * Only while somebody waits for an answer: a node that opens a thousand connections a second would else keep this process
   * busy with reading of backends that it has told already. `conntrack` then waits for its pipe, and goes on after what it has
   * missed (ENOBUFS) with a remark.
   */
  const listen = (on: boolean) => {
    for (const program of following?.programs ?? []) program.listen(on);
  };

  const close = () => {
    const programs = following?.programs ?? [];
    following = undefined;
    for (const program of programs) program.close();
  };

  const start = (endpoints: readonly Address[], port: number) => {
    const key = `${endpoints.map(({ text }) => text).join()} ${port}`;
    if (following?.key === key) return;
    close();
    if (endpoints.length === 0 || performance.now() < notBefore) return;
    const wanted = new Set(endpoints.map(({ text }) => text));
    const note = (line: string) => {
      const backend = freshBackend(line, wanted);
      if (backend === undefined || seen.size >= mostBackends) return;
      seen.add(backend);
      wake();
    };
    const families = [...new Set(endpoints.map(({ family }) => family))];
    const programs = families.map((family) => deps.follow(freshArgv(family, port), note));
    const mine = { key, programs };
    following = mine;
    void Promise.race(programs.map(({ ended }) => ended)).then((why) => {
      if (following !== mine) return;
      deps.log(`new connections are not seen for a while: ${why}`);
      notBefore = performance.now() + againMs;
      close();
    });
  };

  return {
    async next(endpoints, port) {
      clearTimeout(idle);
      idle = setTimeout(close, idleMs);
      idle.unref();
      start(endpoints, port);
      listen(true);
      if (seen.size === 0) {
        await new Promise<void>((resolve) => {
          const late = setTimeout(resolve, waitMs);
          wake = () => {
            clearTimeout(late);
            resolve();
          };
        });
        wake = () => {};
      }
      listen(false);
      const found = [...seen];
      seen = new Set();
      return found;
    },
    [Symbol.dispose]() {
      clearTimeout(idle);
      close();
    },
  };
}

export function freshArgv(family: 4 | 6, port: number): readonly [string, ...string[]] {
  const to = ['--proto', 'tcp', '--orig-port-dst', `${port}`];
  return ['conntrack', '--event', '--event-mask', 'NEW', '--family', `ipv${family}`, ...to];
}

/**
 * The backend of one line of that program, when the connection was steered: its answers come from there and not from the
 * endpoint.
 *
 *     [NEW] tcp      6 120 SYN_SENT src=10.0.0.4 dst=10.0.1.1 sport=4711 dport=6443 [UNREPLIED] src=10.0.0.2 dst=10.0.0.4 …
 */
export function freshBackend(line: string, endpoints: ReadonlySet<string>): string | undefined {
  const [, to, from] = /\bdst=(\S+) .*\bsrc=(\S+) dst=/.exec(line) ?? [];
  const endpoint = to === undefined ? undefined : parseAddress(to)?.text;
  const backend = from === undefined ? undefined : parseAddress(from)?.text;
  if (endpoint === undefined || backend === undefined || endpoint === backend) return undefined;
  return endpoints.has(endpoint) ? backend : undefined;
}

/** A real program; ends with the process that follows it. */
export function followProgram(argv: readonly [string, ...string[]], onLine: (line: string) => void): Following {
  const [file, ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  child.unref();
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    // A line is some 200 characters; what is longer is none.
    rest = (lines.pop() ?? '').slice(0, 4096);
    for (const line of lines.slice(-mostLines)) onLine(line);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(`${file} ended with ${code ?? 'a signal'}`));
  });
  const listen = (on: boolean) => void (on ? child.stdout.resume() : child.stdout.pause());
  return { ended, listen, close: () => void child.kill('SIGKILL') };
}
