import { constants } from 'node:fs';
import { copyFile, open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { runTool } from '../cache/process.ts';
import { binaries } from './components.ts';
import { sha256 } from './manifest.ts';
import type { Source } from './source.ts';

/** e_machine of the ELF header, for the architectures that nodes can have. */
const machines: Readonly<Record<string, number>> = { amd64: 62, arm64: 183 };

/**
 * Binaries that somebody has put into a directory (or its `bin`, or where the release's server tarball has them).
 * What is not there is got from the next source, so a directory with a patched kubelet alone is enough.
 */
export function directorySource(opts: { dir: string; arch: string; signal: AbortSignal }): Source {
  const dir = resolve(opts.dir);
  const find = async (name: string): Promise<string | undefined> => {
    for (const below of ['', 'bin', 'kubernetes/server/bin', 'server/bin']) {
      const path = join(dir, below, name);
      if ((await stat(path).catch(() => undefined))?.isFile() === true) return path;
    }
    return undefined;
  };
  return {
    name: `directory ${dir}`,
    versions: async () => undefined,
    async has(component) {
      const own = binaries.filter((binary) => binary.component === component);
      const found = await Promise.all(own.map((binary) => find(binary.name)));
      return found.every((path) => path !== undefined);
    },
    async identify({ binary }) {
      const given = await find(binary.name);
      return given === undefined ? undefined : `given ${await sha256(given)}`;
    },
    async produce({ binary, version }, path) {
      const given = await find(binary.name);
      if (given === undefined) return undefined;
      await requireElf(given, opts.arch);
      await copyFile(given, path, constants.COPYFILE_FICLONE);
      if (binary.name === 'kubeadm') await requireKubeadm(path, version, given, opts.signal);
      return { source: `directory ${dir}` };
    },
  };
}

async function requireElf(path: string, arch: string): Promise<void> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0);
    const isElf = bytesRead === 20 && buffer.readUInt32BE(0) === 0x7f454c46;
    if (isElf && buffer.readUInt16LE(18) === machines[arch]) return;
    throw new OperatorError('ARTEFACT_CORRUPT', `${path} is not a program for ${arch}`, {
      cause: isElf ? `its ELF header names machine ${buffer.readUInt16LE(18)}` : 'it does not begin as an ELF file',
    });
  } finally {
    await handle.close();
  }
}

async function requireKubeadm(path: string, version: string, given: string, signal: AbortSignal): Promise<void> {
  const said = (await runTool([path, 'version', '-o', 'short'], { signal, fails: undefined })).stdout.trim();
  if (said === version) return;
  throw new OperatorError('ARTEFACT_CORRUPT', `${given} is not kubeadm ${version}`, {
    cause: `it says that its version is ${said === '' ? 'nothing at all' : said}`,
    hint: 'give the version that the directory has with --kubernetes',
  });
}
