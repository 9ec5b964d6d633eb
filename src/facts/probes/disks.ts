import { lines, type Probe, sections } from '../probe.ts';
import type { Disk } from '../types.ts';

/** Where kubeadm, etcd, the kubelet, the container runtime and hairpin write. */
const paths = ['/etc', '/var/lib/etcd', '/var/lib/kubelet', '/var/lib/containerd', '/var/lib/hairpin', '/run', '/tmp'];

export const disks: Probe<readonly Disk[]> = {
  script: () => `
echo @paths
set --
for path in ${paths.join(' ')}; do
  at=$path
  while [ ! -e "$at" ]; do at=\${at%/*}; at=\${at:-/}; done
  set -- "$@" "$at"
  echo "$path"
done
echo @sizes; stat -f -c '%S %b %a %d' -- "$@"
echo @mounts; stat -c %m -- "$@"`,

  parse(text) {
    const of = (title: string) => lines(sections(text).find((section) => section.title === title)?.body ?? '');
    const sizes = of('sizes');
    const mounts = of('mounts');
    return of('paths').map((path, i) => {
      const [blockSize, total, available, inodes] = (sizes[i] ?? '').split(' ');
      return {
        path,
        mount: mounts[i] ?? '',
        totalBytes: Number(blockSize) * Number(total),
        freeBytes: Number(blockSize) * Number(available),
        freeInodes: Number(inodes),
      };
    });
  },
};
