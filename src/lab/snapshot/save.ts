import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { task } from '../../report/event.ts';
import { takeLock } from '../cache/lock.ts';
import { readFaults } from '../faults/records.ts';
import { copyTree } from '../nspawn/copy-tree.ts';
import { machineDirs } from '../nspawn/machine-dirs.ts';
import { nodesOf } from '../nspawn/ssh-files.ts';
import { snapshotDir } from '../paths.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import { splitTree } from './share-tree.ts';
import { requireSnapshotName, type Snapshot, snapshotPaths, snapshotsDir } from './snapshot.ts';

/**
 * Keeps a lab of real nodes as it is: shuts the nodes down in order, copies what they have written, starts them again.
 * The image store, nearly all of a node's size, is shared and not copied.
 */
export async function saveSnapshot(lab: RunningLab, name: string): Promise<Snapshot> {
  const { cx, tier, spec } = lab;
  requireSnapshotName(name);
  await requireFit(lab, name);
  await using _lock = await takeLock(join(snapshotsDir(), '.lock'), `make the snapshot ${name}`, cx);
  const making = join(snapshotsDir(), `.making-${name}`);
  await rm(making, { recursive: true, force: true });
  const nodes = nodesOf(cx.topology).map(({ machine }) => machine.name);
  const about: Snapshot = { version: 1, name, madeAt: new Date().toISOString(), spec };
  try {
    await task(cx.emit, 'shutdown', 'shut the nodes down', () =>
      Promise.all(nodes.map((machine) => tier.stopMachine(cx, machine, 'shutdown'))),
    );
    await task(cx.emit, 'snapshot', `snapshot ${name}`, async () => {
      await copyTree(cx.paths.keys, await inMadeDirectory(snapshotPaths(making).keys), cx);
      await Promise.all(nodes.map((machine) => saveNode(lab, machine, making)));
      await writeFile(snapshotPaths(making).about, `${JSON.stringify(about, undefined, 2)}\n`);
      await rename(making, snapshotDir(name));
    });
  } finally {
    await rm(making, { recursive: true, force: true });
    await task(cx.emit, 'boot', 'start the nodes again', () =>
      Promise.all(nodes.map((machine) => tier.startMachine(cx, machine))),
    );
  }
  return about;
}

async function saveNode({ cx }: RunningLab, machine: string, making: string): Promise<void> {
  const from = machineDirs(cx.paths, machine);
  const to = snapshotPaths(making);
  const store = (await readFile(from.store, 'utf8')).trim();
  await copyTree(from.upper, await inMadeDirectory(to.upper(machine)), cx);
  await copyTree(from.kubelet, to.kubelet(machine), cx);
  await copyTree(from.etcd, to.etcd(machine), cx);
  if ((await stat(from.etcdImage).catch(() => undefined)) !== undefined) {
    await copyTree(from.etcdImage, to.etcdImage(machine), cx);
  }
  await splitTree(from.containerd, store, to.images(machine), cx);
  await writeFile(to.store(machine), `${store}\n`);
}

async function requireFit(lab: RunningLab, name: string): Promise<void> {
  const refuse = (message: string, hint: string) => new OperatorError('LAB_SNAPSHOT', message, { hint });
  if (lab.spec.bare === true) {
    throw refuse(
      `Lab \`${lab.spec.name}\` has bare nodes, which no snapshot is made of`,
      'bring such a lab up anew: it takes seconds',
    );
  }
  if (lab.spec.tier !== 'node') {
    throw refuse(`Lab \`${lab.name}\` has no nodes to keep: it is of the wire tier`, 'its `up` takes a second anyway');
  }
  if ((await stat(snapshotDir(name)).catch(() => undefined)) !== undefined) {
    throw refuse(`There is a snapshot \`${name}\` already`, `hairpin lab snapshot remove ${name}`);
  }
  const [fault] = await readFaults(lab.cx.paths);
  if (fault !== undefined) {
    throw refuse(`\`${fault.fault}\` is in force on ${fault.target}`, `hairpin lab heal --lab ${lab.name}`);
  }
}

async function inMadeDirectory(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  return path;
}
