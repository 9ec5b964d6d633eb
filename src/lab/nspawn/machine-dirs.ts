import { join } from 'node:path';
import type { LabContext } from '../tier/tier.ts';

/** The files of one node, all below the lab's directory. */
export interface MachineDirs {
  readonly root: string;
  /** What the node has written or was given; over the version's layer and the base. */
  readonly upper: string;
  readonly work: string;
  /** Where the three are put together, seen only in the node's own mount namespace. */
  readonly merged: string;
  readonly containerd: string;
  readonly kubelet: string;
  readonly etcd: string;
  /** A disk of its own for etcd, so that it can be full without the host's being full; not every host can. */
  readonly etcdImage: string;
  readonly etcdMount: string;
  /** Makes the node's network anew; run at each boot but the first. */
  readonly networkScript: string;
  /** What the node's image store was made of, so that a snapshot can leave out what does not change. */
  readonly store: string;
}

export function machineDirs(paths: LabContext['paths'], machine: string): MachineDirs {
  const root = paths.node(machine);
  return {
    root,
    upper: join(root, 'upper'),
    work: join(root, 'work'),
    merged: join(root, 'root'),
    containerd: join(root, 'containerd'),
    kubelet: join(root, 'kubelet'),
    etcd: join(root, 'etcd'),
    etcdImage: join(root, 'etcd.img'),
    etcdMount: join(root, 'etcd-disk'),
    networkScript: join(root, 'network.sh'),
    store: join(root, 'store'),
  };
}

/** The cgroups of one node, below the lab's. */
export function machineCgroups(cx: Pick<LabContext, 'cgroups'>, machine: string): readonly string[] {
  return cx.cgroups.map((dir) => join(dir, machine));
}
