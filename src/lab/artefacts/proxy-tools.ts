import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Emit } from '../../report/event.ts';
import { runTool } from '../cache/process.ts';
import { ensureBase } from '../image/base.ts';
import type { LayerEntry } from './image-tar.ts';

/** Every name under which kube-proxy may call the one program that does iptables over nf_tables. */
const iptablesNames = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);

/** The programs that kube-proxy runs, for its image. */
export interface ProxyTools {
  /** Changes when they do; when other files are taken out of the same base, raise imagesRevision (manifest.ts). */
  id(): Promise<string>;
  entries(): Promise<readonly LayerEntry[]>;
}

/** Takes them out of the base image, which is made first where it is not there. */
export function toolsOfBase(opts: { emit: Emit; signal: AbortSignal; cache: string }): ProxyTools {
  return {
    id: async () => (await ensureBase(opts)).id,
    entries: async () => proxyTools((await ensureBase(opts)).rootfs, opts.signal),
  };
}

/** nft, iptables and conntrack with the libraries they load, out of the base image. */
async function proxyTools(rootfs: string, signal: AbortSignal): Promise<readonly LayerEntry[]> {
  const programs = ['/usr/sbin/nft', '/usr/sbin/xtables-nft-multi', '/usr/sbin/conntrack'];
  const librariesOf = async (paths: readonly string[]) => {
    const { stdout } = await runTool(['chroot', rootfs, 'ldd', ...paths], {
      signal,
      fails: { code: 'ARTEFACT_BUILD_FAILED', message: 'Cannot list the libraries that kube-proxy needs' },
    });
    return parseLdd(stdout);
  };
  const direct = await librariesOf(programs);
  const extensions = await extensionsBeside(rootfs, direct);
  // Extensions load libraries of their own: without libm there is no `statistic`, and no Service with two backends.
  const libraries = [...new Set([...direct, ...(await librariesOf(extensions))])].toSorted();
  const file = (path: string, mode: number): Promise<LayerEntry> => copyOf(rootfs, path, mode);
  return [
    ...directoriesOf([...libraries, ...extensions]).map(
      (path): LayerEntry => ({ kind: 'directory', path, mode: 0o755 }),
    ),
    ...(await Promise.all([
      ...programs.map((path) => file(path, 0o755)),
      ...libraries.map((path) => file(path, 0o755)),
    ])),
    ...(await Promise.all(extensions.map((path) => file(path, 0o644)))),
    ...iptablesNames.map(
      (name): LayerEntry => ({ kind: 'link', path: `usr/sbin/${name}`, target: 'xtables-nft-multi' }),
    ),
  ];
}

/** Paths of shared libraries that `ldd` prints for several programs, each once, where merged /usr really has them. */
export function parseLdd(stdout: string): readonly string[] {
  const paths = stdout.split('\n').flatMap((line) => {
    const path = /(?:=>\s+)?(\/\S+)\s+\(0x[0-9a-f]+\)/.exec(line)?.[1];
    return path === undefined ? [] : [path.startsWith('/usr/') ? path : `/usr${path}`];
  });
  return [...new Set(paths)].toSorted();
}

/** iptables' matches and targets are loaded by name at run time, so ldd does not know them. */
async function extensionsBeside(rootfs: string, libraries: readonly string[]): Promise<readonly string[]> {
  const libc = libraries.find((path) => path.endsWith('/libc.so.6')) ?? '/usr/lib/libc.so.6';
  const dir = join(libc, '..', 'xtables');
  const names = await readdir(join(rootfs, dir));
  return names
    .filter((name) => name.endsWith('.so'))
    .toSorted()
    .map((name) => join(dir, name));
}

async function copyOf(rootfs: string, path: string, mode: number): Promise<LayerEntry> {
  return { kind: 'file', path: path.slice(1), from: await realpath(join(rootfs, path)), mode };
}

function directoriesOf(paths: readonly string[]): readonly string[] {
  const made = new Set(['usr', 'usr/lib', 'usr/lib64']);
  const all = paths.flatMap((path) => {
    const parts = path.slice(1).split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  });
  return [...new Set(all)].filter((dir) => !made.has(dir)).toSorted();
}
