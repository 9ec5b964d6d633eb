import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { bundledPackages, bundledPrograms, bundledTexts } from './bundle/node-files.ts';
import { type BundleParts, type PackedBundle, packBundle } from './bundle/pack.ts';
import { OperatorError } from './errors/operator-error.ts';
import { ensureArtefacts } from './lab/artefacts/artefacts.ts';
import { readAptHost } from './lab/image/apt-host.ts';
import { ensureBase } from './lab/image/base.ts';
import { cacheDir } from './lab/paths.ts';
import { type Emit, task } from './report/event.ts';

export interface CreateBundleOptions {
  readonly kubernetes: string;
  readonly path: string;
  /** A directory with binaries that are preferred: kubeadm, kubelet, runc, … and CNI plugins in `cni/`. */
  readonly from?: string;
  readonly madeBy: string;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Collects what a bare node needs for one Kubernetes version and packs it into one file. */
export async function createBundle(opts: CreateBundleOptions): Promise<PackedBundle> {
  const { emit, signal, from, path } = opts;
  const base = await ensureBase({ emit, signal });
  const artefacts = await ensureArtefacts(opts.kubernetes, { emit, signal, ...(from === undefined ? {} : { from }) });
  const { suite } = await readAptHost();
  const pause = artefacts.images.find(({ ref }) => /\/pause:/.test(ref));
  if (pause === undefined) throw new RangeError(`The artefacts of ${artefacts.version} have no pause image`);
  const runc = (await firstThere(from === undefined ? [] : [join(from, 'runc')])) ?? join(base.rootfs, 'usr/sbin/runc');
  const cni = (await firstThere(from === undefined ? [] : [join(from, 'cni')])) ?? join(base.rootfs, 'usr/lib/cni');
  await using debs = await packages(cacheDir(), signal);
  const parts: BundleParts = {
    version: artefacts.version,
    arch: artefacts.arch,
    suite,
    madeBy: opts.madeBy,
    files: [
      ...bundledPrograms.map(([name, at]) => ({ path: at, mode: 0o755, content: { from: artefacts.binaries[name] } })),
      { path: '/usr/local/sbin/runc', mode: 0o755, content: { from: runc } },
      ...(await readdir(cni))
        .toSorted()
        .map((name) => ({ path: `/opt/cni/bin/${name}`, mode: 0o755, content: { from: join(cni, name) } })),
      ...bundledTexts(pause.ref).map(({ path: at, text }) => ({ path: at, mode: 0o644, content: { text } })),
    ],
    images: artefacts.images.map(({ ref, file }) => ({ ref, file: basename(file), from: file })),
    packages: debs.packages,
    tools: [...bundledPrograms.map(([name]) => name), 'runc', ...Object.values(bundledPackages).flat()].toSorted(),
  };
  return await task(
    emit,
    'bundle',
    `pack ${path}`,
    (progress) => packBundle(parts, path, { signal, progress }),
    ({ bytes }) => `${Math.round(bytes / 1e6)} MB`,
  );
}

/** The packages and the libraries that only they need, as files. What the lab's base image was made of is used again. */
async function packages(cache: string, signal: AbortSignal) {
  const names = await onlyNeededBy(Object.keys(bundledPackages), signal);
  const kept = join(cache, 'base', 'debs');
  const dir = await mkdtemp(join(tmpdir(), 'hairpin-debs-'));
  try {
    const there = await readdir(kept).catch(() => []);
    const found = new Map(names.map((name) => [name, there.find((file) => file.startsWith(`${name}_`))]));
    const missing = names.filter((name) => found.get(name) === undefined);
    await mkdir(dir, { recursive: true });
    if (missing.length > 0) await tool(['apt-get', 'download', ...missing], signal, dir);
    const fetched = await readdir(dir);
    const files = names.map((name) => {
      const file = found.get(name);
      if (file !== undefined) return { name, from: join(kept, file) };
      return { name, from: join(dir, fetched.find((candidate) => candidate.startsWith(`${name}_`)) ?? `${name}_?`) };
    });
    return {
      packages: files.map(({ name, from }) => ({
        name,
        version: decodeURIComponent(basename(from).split('_')[1] ?? ''),
        file: basename(from),
        from,
      })),
      [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
    };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** What a machine with sshd and systemd has anyway, besides everything that is essential. */
const always = ['apt', 'dpkg', 'systemd-sysv', 'dbus', 'openssh-server', 'sudo', 'libc6', 'mount'];

async function onlyNeededBy(names: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const [needed, there] = await Promise.all([closure(names, signal), closure(always, signal)]);
  return [...needed].filter((name) => !there.has(name)).toSorted();
}

async function closure(names: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>> {
  const without = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (kind) => `--no-${kind}`,
  );
  const text = await tool(['apt-cache', 'depends', '--recurse', ...without, ...names], signal);
  // A line that begins with a name is a package; <name> is a virtual one, and what provides it is in the list too.
  return new Set(text.split('\n').filter((line) => /^[a-z0-9][a-z0-9.+-]+$/.test(line)));
}

async function tool(argv: readonly string[], signal: AbortSignal, cwd?: string): Promise<string> {
  const [program = '', ...args] = argv;
  try {
    const options = {
      signal,
      maxBuffer: 64 << 20,
      env: { ...process.env, LC_ALL: 'C' },
      ...(cwd === undefined ? {} : { cwd }),
    };
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    signal.throwIfAborted();
    throw new OperatorError(
      'TOOL_FAILED',
      `\`${argv.slice(0, 2).join(' ')}\` did not give the packages of the bundle`,
      {
        cause: (error as { stderr?: string }).stderr?.trim() ?? error,
        hint: 'apt-get update, then again',
      },
    );
  }
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  }
  return undefined;
}
