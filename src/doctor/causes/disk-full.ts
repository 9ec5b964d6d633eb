import type { Cause } from '../cause.ts';
import { formatBytes } from './bytes.ts';
import { each, known } from './help.ts';

/** etcd and the kubelet stop working at zero; the kubelet evicts far earlier (10 %), which is not this. */
const nothingLeft = 16 * 2 ** 20;

export const diskFull: Cause = {
  id: 'disk-full',
  title: 'a disk is full',
  needs: ['facts', 'logs'],
  why: 'etcd cannot write its log, and the kubelet and containerd cannot start anything on {nodes}',
  explanation: `etcd ends when it cannot write; its quota alarm (NOSPACE) is another limit and stays set until it is disarmed. Below 10 % free
the kubelet evicts pods and collects images.`,
  run: 'df -h; df -i; du -xsh /var/log /var/lib/containerd /var/lib/etcd    (on {nodes})',
  logsAloneAreOld: true,
  produced: 'recorded',
  signs: [
    {
      match: /no space left on device|etcdserver: mvcc: database space exceeded/,
      confidence: 'certain',
      example:
        '{"level":"fatal","ts":"2026-11-27T10:00:00.000000Z","caller":"etcdserver/raft.go:300","msg":"failed to save Raft hard state and entries","error":"write /var/lib/etcd/member/wal/0.tmp: no space left on device"}',
      seenIn: 'etcd (server/storage)',
    },
  ],
  judge: (live) =>
    each(live.nodes, 'certain', (node) => {
      const full = (known(node.facts?.disks) ?? []).find(
        ({ freeBytes, freeInodes, totalBytes }) => totalBytes > 0 && (freeBytes < nothingLeft || freeInodes === 0),
      );
      if (full === undefined) return undefined;
      return `${full.mount} has ${formatBytes(full.freeBytes)} and ${full.freeInodes} inodes left (${full.path})`;
    }),
};
