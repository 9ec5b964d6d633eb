import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSea } from 'node:sea';
import { OperatorError } from '../errors/operator-error.ts';
import { runProcess } from '../node/process.ts';
import { checkoutRoot, programId } from './identity.ts';
import { type Arch, parseManifest } from './manifest.ts';
import { packProgram } from './pack.ts';

/** A tar in gzip with `hairpin`, `lib/…` and `SHA256SUMS`. */
export interface ProgramArchive {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** hairpin's own program, as nodes get it. */
export interface ProgramSource {
  /** 16 hex digits; known without building anything. */
  readonly id: string;
  /** Built or packed when it is asked for the first time, read once. */
  archive(arch: Arch, opts: { readonly signal: AbortSignal }): Promise<ProgramArchive>;
}

/** The one that belongs to this process: from the checkout that it runs from, or the executable that it is. */
export async function localProgram(): Promise<ProgramSource> {
  const id = await programId();
  const kept = new Map<Arch, Promise<ProgramArchive>>();
  return {
    id,
    archive(arch, opts) {
      const loading = kept.get(arch) ?? (isSea() ? ownArchive(arch, id) : builtArchive(arch, id, opts.signal));
      kept.set(arch, loading);
      // A failure is told to everybody who waits and tried again by whoever comes later.
      loading.catch(() => kept.delete(arch));
      return loading;
    },
  };
}

async function builtArchive(arch: Arch, id: string, signal: AbortSignal): Promise<ProgramArchive> {
  const root = checkoutRoot ?? '';
  const found = await readBuilt(root, arch, id);
  if (found !== undefined) return found;
  const argv = [process.execPath, join(root, 'scripts/build.ts'), '--arch', arch];
  const { exitCode, stderr } = await runProcess(argv, { signal, timeout: 10 * 60_000 });
  const built = exitCode === 0 ? await readBuilt(root, arch, id) : undefined;
  if (built !== undefined) return built;
  throw new OperatorError('PROGRAM_BUILD_FAILED', `hairpin's own program for ${arch} could not be built`, {
    cause: stderr.trim().split('\n').slice(-8).join('\n'),
    hint: `npm run build -- --arch ${arch} shows more`,
  });
}

async function readBuilt(root: string, arch: Arch, id: string): Promise<ProgramArchive | undefined> {
  const manifest = parseManifest(await readFile(join(root, 'dist/program.json'), 'utf8').catch(() => ''));
  const program = manifest?.id === id ? manifest.programs.find((p) => p.arch === arch) : undefined;
  if (program === undefined) return undefined;
  const bytes = await readFile(join(root, `dist/hairpin-linux-${arch}.tar.gz`)).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const sha256 = sha256Of(bytes);
  return sha256 === program.archive.sha256 ? { bytes, sha256 } : undefined;
}

/** The executable sends itself; it has the kind of machine that it was built for, and no other. */
async function ownArchive(arch: Arch, id: string): Promise<ProgramArchive> {
  if (arch !== process.arch) {
    throw new OperatorError('PROGRAM_BUILD_FAILED', `This hairpin is for ${process.arch}, and a node is ${arch}`, {
      hint: `run it from a checkout (npm run build -- --arch ${arch}), or from a machine of that kind`,
    });
  }
  const cache = process.env.HAIRPIN_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hairpin');
  const path = join(cache, 'program', `${id}-${arch}.tar.gz`);
  if (!(await stat(path).catch(() => undefined))) {
    await mkdir(dirname(path), { recursive: true });
    const library = join(dirname(process.execPath), 'lib/libatomic.so.1');
    const libraries = (await stat(library).catch(() => undefined)) ? [{ name: 'libatomic.so.1', path: library }] : [];
    const part = `${path}.${process.pid}`;
    await packProgram({ executable: process.execPath, libraries }, part);
    await rename(part, path);
  }
  const bytes = await readFile(path);
  return { bytes, sha256: sha256Of(bytes) };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
