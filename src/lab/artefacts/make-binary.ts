import { chmod, link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { formatBytes } from '../cache/space.ts';
import { type Progress, timedTask } from '../cache/timed-task.ts';
import { describeFile, looksUnchanged, type ManifestEntry, readManifest } from './manifest.ts';
import type { Wanted } from './source.ts';
import type { Work } from './work.ts';

/** Gives the binary's entry, getting the file from the first source that has it unless it is there already. */
export async function makeBinary(wanted: Wanted, work: Work): Promise<ManifestEntry> {
  const { binary, version } = wanted;
  const path = `bin/${binary.name}`;
  const key = await keyOf(wanted, work);
  const there = work.files.get(path);
  if (there?.key === key) return there;
  const entry = await timedTask(
    work.emit,
    { task: `artefacts/${binary.name}`, title: `${binary.name} ${version}`, estimate: secondsFor(wanted) * 1000 },
    async (progress) => (await reuse(path, key, work)) ?? (await produce(wanted, path, key, progress, work)),
    ({ source, size }) => `${source}, ${formatBytes(size)}`,
  );
  await work.record(path, entry);
  return entry;
}

/** Compiling keeps every core busy for most of the time. */
export function secondsFor(wanted: Wanted): number {
  return Math.ceil((wanted.binary.seconds * 2) / Math.max(1, Math.min(8, availableParallelism())));
}

async function keyOf(wanted: Wanted, work: Work): Promise<string> {
  for (const source of work.sources) {
    const own = await source.identify?.(wanted);
    if (own !== undefined) return own;
  }
  return `${wanted.binary.component} ${wanted.version}`;
}

async function produce(wanted: Wanted, path: string, key: string, progress: Progress, work: Work) {
  const start = performance.now();
  const part = join(work.dir, '.part', wanted.binary.name);
  await mkdir(dirname(part), { recursive: true });
  for (const source of work.sources) {
    await rm(part, { force: true });
    const produced = await source.produce(wanted, part, progress);
    if (produced === undefined) continue;
    await chmod(part, 0o755);
    await rename(part, join(work.dir, path));
    return await describeFile(work.dir, path, { key, ...produced, ms: performance.now() - start });
  }
  throw new OperatorError('ARTEFACT_NO_SOURCE', `No source has ${wanted.binary.name} ${wanted.version}`, {
    cause: `asked: ${work.sources.map((source) => source.name).join(', ')}`,
  });
}

/** Several Kubernetes versions share one containerd and often one etcd: the same file is linked, not made again. */
async function reuse(path: string, key: string, work: Work): Promise<ManifestEntry | undefined> {
  const beside = dirname(work.dir);
  for (const name of await readdir(beside)) {
    const other = join(beside, name);
    if (other === work.dir || !name.endsWith(`-${work.arch}`)) continue;
    const entry = (await readManifest(other))?.files[path];
    if (entry?.key !== key || !(await looksUnchanged(other, path, entry))) continue;
    await rm(join(work.dir, path), { force: true });
    await link(join(other, path), join(work.dir, path));
    return entry;
  }
  return undefined;
}
