import { lines, type Probe } from '../probe.ts';
import type { Disk } from '../types.ts';

/** Where kubeadm, etcd, the kubelet, the container runtime and hairpin write. */
const paths = ['/etc', '/var/lib/etcd', '/var/lib/kubelet', '/var/lib/containerd', '/var/lib/hairpin', '/run', '/tmp'];

export const disks: Probe<readonly Disk[]> = {
  script: () => `
for path in ${paths.join(' ')}; do
  at=$path
  while [ ! -e "$at" ]; do at=\${at%/*}; at=\${at:-/}; done
  echo "$path $(stat -f -c '%S %b %a %d' "$at") $(stat -c %m "$at")"
done`,

  parse(text) {
    return lines(text).map((line) => {
      const [path = '', blockSize, total, available, inodes, ...mount] = line.split(' ');
      return {
        path,
        mount: mount.join(' '),
        totalBytes: Number(blockSize) * Number(total),
        freeBytes: Number(blockSize) * Number(available),
        freeInodes: Number(inodes),
      };
    });
  },
};
