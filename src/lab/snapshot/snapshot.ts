import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { closest } from '../../std/closest.ts';
import { snapshotDir } from '../paths.ts';
import type { LabSpec } from '../spec/lab-spec.ts';
import { labNamePattern } from '../topology/names.ts';

/** What is kept beside the nodes' files, as `snapshot.json`. */
export interface Snapshot {
  readonly version: 1;
  readonly name: string;
  readonly madeAt: string;
  /** The lab it was made of; a lab made from it may have another name. */
  readonly spec: LabSpec;
}

/** Words that the command line has another meaning for. */
const reserved = ['list', 'remove'];

export function requireSnapshotName(name: string): void {
  if (labNamePattern.test(name) && !reserved.includes(name)) return;
  throw new OperatorError('USAGE', `\`${name}\` cannot be the name of a snapshot`, {
    hint: 'at most 20 lower-case letters, digits and dashes, a letter first; not `list` or `remove`',
  });
}

/** Where the parts of a snapshot are. */
export function snapshotPaths(dir: string) {
  const node = (machine: string) => join(dir, 'nodes', machine);
  return {
    about: join(dir, 'snapshot.json'),
    keys: join(dir, 'keys'),
    upper: (machine: string) => join(node(machine), 'upper'),
    kubelet: (machine: string) => join(node(machine), 'kubelet'),
    etcd: (machine: string) => join(node(machine), 'etcd'),
    etcdImage: (machine: string) => join(node(machine), 'etcd.img'),
    store: (machine: string) => join(node(machine), 'store'),
    images: (machine: string) => ({
      shared: join(node(machine), 'images-shared'),
      own: join(node(machine), 'images-own'),
    }),
  };
}

export async function readSnapshot(name: string): Promise<Snapshot> {
  const text = await readFile(snapshotPaths(snapshotDir(name)).about, 'utf8').catch(() => undefined);
  if (text !== undefined) return JSON.parse(text) as Snapshot;
  const names = (await listSnapshots()).map((snapshot) => snapshot.name);
  const near = closest(name, names);
  const didYouMean = near === undefined ? '' : `; did you mean \`${near}\`?`;
  throw new OperatorError('LAB_SNAPSHOT', `There is no snapshot \`${name}\``, {
    hint: names.length === 0 ? 'make one: hairpin lab snapshot NAME' : `there is ${names.join(', ')}${didYouMean}`,
  });
}

/** All snapshots, by name. What is still being made, or was when it was killed, is none. */
export async function listSnapshots(): Promise<readonly Snapshot[]> {
  const names = await readdir(snapshotsDir()).catch(() => []);
  const found = await Promise.all(
    names.toSorted().map(async (name) => {
      const text = await readFile(snapshotPaths(join(snapshotsDir(), name)).about, 'utf8').catch(() => undefined);
      return text === undefined || name.startsWith('.') ? [] : [JSON.parse(text) as Snapshot];
    }),
  );
  return found.flat();
}

/** Labs that were made from it have copies of their own, or files that are theirs as well, so they do not mind. */
export async function removeSnapshot(name: string): Promise<void> {
  requireSnapshotName(name);
  await readSnapshot(name);
  await rm(snapshotDir(name), { recursive: true });
}

export function snapshotsDir(): string {
  return join(snapshotDir('x'), '..');
}
