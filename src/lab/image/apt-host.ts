import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { runTool } from '../cache/process.ts';
import { type AptSource, mirrorFor, parseAptSources } from './apt-sources.ts';

/** How this machine gets its packages; the base image is got the same way. */
export interface AptHost {
  readonly suite: string;
  readonly arch: string;
  readonly mirror: AptSource;
  /** The mirror without user name and password, for messages. */
  readonly shownMirror: string;
  /** `http_proxy` and `https_proxy` as apt uses them; nothing where apt has no proxy of its own. */
  readonly proxy: Readonly<Record<string, string>>;
}

export async function readAptHost(): Promise<AptHost> {
  const suite = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  if (suite === undefined)
    throw new OperatorError('HOST_UNFIT', 'This system is neither a Debian nor an Ubuntu release', {
      cause: '/etc/os-release has no VERSION_CODENAME',
      hint: 'the node tier needs one of them; the wire tier (`--tier wire`) does not',
    });
  const sources = await readSources('/etc/apt');
  const mirror = mirrorFor(suite, sources);
  if (mirror === undefined)
    throw new OperatorError('HOST_UNFIT', `No apt source of this machine has ${suite} main over http, https or file`, {
      cause: `sources seen: ${sources.map((s) => `${withoutUser(s.uri)} ${s.suite}`).join(', ') || 'none'}`,
      hint: 'add one to /etc/apt/sources.list.d',
    });
  return { suite, arch: await architecture(), mirror, shownMirror: withoutUser(mirror.uri), proxy: await aptProxy() };
}

async function readSources(dir: string): Promise<readonly AptSource[]> {
  const parts = await readdir(join(dir, 'sources.list.d')).catch(() => []);
  const files = [join(dir, 'sources.list'), ...parts.toSorted().map((name) => join(dir, 'sources.list.d', name))];
  const found = await Promise.all(
    files
      .filter((path) => path.endsWith('.list') || path.endsWith('.sources'))
      .map(async (path) => parseAptSources(path, await readFile(path, 'utf8').catch(() => ''))),
  );
  return found.flat();
}

async function architecture(): Promise<string> {
  return (await quiet(['dpkg', '--print-architecture'])).trim();
}

async function aptProxy(): Promise<Readonly<Record<string, string>>> {
  const text = await quiet(['apt-config', 'shell', 'http', 'Acquire::http::Proxy', 'https', 'Acquire::https::Proxy']);
  const value = (name: string) => new RegExp(`^${name}='([^']*)'$`, 'm').exec(text)?.[1] ?? '';
  return Object.fromEntries(
    ['http', 'https'].flatMap((name) => {
      const proxy = value(name);
      return proxy === '' || proxy === 'DIRECT' ? [] : [[`${name}_proxy`, proxy]];
    }),
  );
}

async function quiet(argv: readonly string[]): Promise<string> {
  const fails = { code: 'TOOL_FAILED', message: `Cannot ask ${argv[0]}` } as const;
  return (await runTool(argv, { signal: new AbortController().signal, fails })).stdout;
}

function withoutUser(uri: string): string {
  return uri.replace(/\/\/[^/@]*@/, '//');
}
