import { join } from 'node:path';
import type { Emit } from '../../report/event.ts';
import { takeLock } from '../cache/lock.ts';
import { openScratch } from '../cache/scratch.ts';
import { noSpace } from '../cache/space.ts';
import { cacheDir } from '../paths.ts';
import { type BinaryName, binaryNames } from './components.ts';
import { hostArch } from './host-arch.ts';
import { makeArtefacts } from './make.ts';
import { isComplete, looksUnchanged, type Manifest, readManifest } from './manifest.ts';
import { toolsOfBase } from './proxy-tools.ts';
import { openSources, requireVersion } from './sources.ts';
import { parseVersion } from './version.ts';

/** Programs and container images of one Kubernetes version, each there and whole. Nobody writes into `dir` after that. */
export interface Artefacts {
  readonly version: string;
  readonly arch: string;
  readonly dir: string;
  /** Absolute paths. */
  readonly binaries: Readonly<Record<BinaryName, string>>;
  /** docker-archive tars, named as `kubeadm config images list` of this version prints them. */
  readonly images: readonly { readonly ref: string; readonly file: string }[];
  /** sha256 by path below `dir`. */
  readonly checksums: Readonly<Record<string, string>>;
  /** Where each file came from, by path below `dir`. */
  readonly sources: Readonly<Record<string, string>>;
}

export interface ArtefactOptions {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Another cache directory than the user's. */
  readonly cache?: string;
  /** A directory with binaries that are preferred to every other source. */
  readonly from?: string;
  /** Reads every file and compares its checksum, which takes seconds; without it sizes and times must do. */
  readonly verify?: boolean;
}

/**
 * Gives the artefacts of a Kubernetes version, getting or making what is not there yet.
 *
 * Every file is made under another name, renamed when it is whole and recorded at once, so that a killed run loses the
 * one file it was at. kubeadm comes first: it says which images, and so which etcd and CoreDNS, the version wants.
 */
export async function ensureArtefacts(wanted: string, opts: ArtefactOptions): Promise<Artefacts> {
  const cache = opts.cache ?? cacheDir();
  const version = parseVersion(wanted) ?? wanted;
  const arch = hostArch();
  const dir = join(cache, 'artefacts', `${version}-${arch}`);
  if (parseVersion(wanted) !== undefined && opts.from === undefined && opts.verify !== true) {
    const warm = await warmArtefacts(dir);
    if (warm !== undefined) return warm;
  }
  await using scratch = await openScratch(join(cache, 'go', 'tmp'));
  const sources = await openSources({ ...opts, from: opts.from, go: join(cache, 'go'), scratch: scratch.dir, arch });
  // Before the lock: who asks for a version that does not exist need not wait for a build to hear it.
  if ((await readManifest(dir)) === undefined) await requireVersion(version, sources);
  await using _lock = await takeLock(join(cache, 'artefacts', 'lock'), `get Kubernetes ${version}`, opts);
  try {
    const tools = toolsOfBase({ ...opts, cache });
    return toArtefacts(dir, await makeArtefacts({ ...opts, cache, dir, version, arch, sources, tools }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw noSpace(cache, `Kubernetes ${version}`, String(error));
  }
}

/** The artefacts where all of them are there already; takes no lock and starts no process. */
export async function warmArtefacts(dir: string): Promise<Artefacts | undefined> {
  const manifest = await readManifest(dir);
  if (manifest === undefined || !isComplete(manifest)) return undefined;
  const unchanged = await Promise.all(
    Object.entries(manifest.files).map(([path, entry]) => looksUnchanged(dir, path, entry)),
  );
  return unchanged.every(Boolean) ? toArtefacts(dir, manifest) : undefined;
}

function toArtefacts(dir: string, manifest: Manifest): Artefacts {
  const { version, arch, files, images = [] } = manifest;
  const each = (pick: (path: string) => string | undefined) =>
    Object.fromEntries(Object.keys(files).map((path) => [path, pick(path) ?? '']));
  return {
    version,
    arch,
    dir,
    binaries: Object.fromEntries(binaryNames.map((name) => [name, join(dir, 'bin', name)])) as Record<
      BinaryName,
      string
    >,
    images: images.map(({ ref, file }) => ({ ref, file: join(dir, file) })),
    checksums: each((path) => files[path]?.sha256),
    sources: each((path) => files[path]?.source),
  };
}
