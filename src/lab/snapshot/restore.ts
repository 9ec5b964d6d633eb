import { mkdir, stat } from 'node:fs/promises';
import { task } from '../../report/event.ts';
import { copyTree } from '../nspawn/copy-tree.ts';
import { machineDirs } from '../nspawn/machine-dirs.ts';
import { nodesOf } from '../nspawn/ssh-files.ts';
import { snapshotDir } from '../paths.ts';
import type { LabSpec } from '../spec/lab-spec.ts';
import type { LabContext } from '../tier/tier.ts';
import { joinTree } from './share-tree.ts';
import { readSnapshot, snapshotPaths } from './snapshot.ts';

/** The lab that a snapshot is of, under the name it is to have. */
export async function snapshotSpec(name: string, lab: string | undefined): Promise<LabSpec> {
  const { spec } = await readSnapshot(name);
  return lab === undefined ? spec : { ...spec, name: lab };
}

/** Puts the nodes' files into a lab's directory, before its nodes are started for the first time. */
export async function restoreSnapshot(cx: LabContext, name: string): Promise<void> {
  const from = snapshotPaths(snapshotDir(name));
  await task(cx.emit, 'restore', `nodes of snapshot ${name}`, async () => {
    await copyTree(from.keys, cx.paths.keys, cx);
    await Promise.all(nodesOf(cx.topology).map(({ machine }) => restoreNode(cx, from, machine.name)));
  });
}

async function restoreNode(cx: LabContext, from: ReturnType<typeof snapshotPaths>, machine: string): Promise<void> {
  const to = machineDirs(cx.paths, machine);
  await mkdir(to.root, { recursive: true });
  await copyTree(from.upper(machine), to.upper, cx);
  await copyTree(from.kubelet(machine), to.kubelet, cx);
  await copyTree(from.etcd(machine), to.etcd, cx);
  if ((await stat(from.etcdImage(machine)).catch(() => undefined)) !== undefined) {
    await copyTree(from.etcdImage(machine), to.etcdImage, cx);
  }
  await joinTree(from.images(machine), to.containerd, cx);
  await copyTree(from.store(machine), to.store, cx);
}
