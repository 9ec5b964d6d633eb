import type { Cause } from '../cause.ts';
import { formatBytes } from './bytes.ts';
import { each, known, listeners } from './help.ts';

export const swapOn: Cause = {
  id: 'swap-on',
  title: 'swap is on, and the kubelet does not start with it',
  needs: ['facts', 'look', 'logs'],
  why: 'a kubelet with failSwapOn (its default) ends at once while any swap is in use',
  explanation: `The kubelet ends when it finds swap, unless its configuration says failSwapOn: false. systemd starts it again and again,
and kubeadm waits for a kubelet that never answers at 10248. Swap comes back after a reboot when it stays in /etc/fstab.`,
  run: "swapoff -a && sed -i.bak '/\\sswap\\s/s/^/#/' /etc/fstab    (on {nodes})",
  logsAloneAreOld: true,
  produced: 'scenario',
  signs: [
    {
      in: ['kubelet'],
      match: /running with swap on is not supported, please disable swap/i,
      confidence: 'certain',
      example:
        'E1127 10:00:00.000000    1811 run.go:72] "command failed" err="failed to run Kubelet: running with swap on is not supported, please disable swap or set --fail-swap-on flag to false"',
      seenIn: 'kubelet (pkg/kubelet/cm/container_manager_linux.go)',
    },
    {
      in: ['kubeadm'],
      match: /\[ERROR Swap\]: (?:running with swap on is not supported|swap is (?:enabled|supported))/,
      confidence: 'certain',
      example: '\t[ERROR Swap]: running with swap on is not supported. Please disable swap',
      seenIn: "kubeadm's preflight up to 1.27 (kubeadm app/preflight/checks.go)",
    },
  ],
  judge: (live) =>
    each(live.nodes, 'certain', (node) => {
      const areas = known(node.facts?.swap) ?? [];
      const unit = known(node.facts?.units)?.['kubelet.service'];
      const down = unit !== undefined && unit.active !== 'active';
      const silent = listeners(node, 10_250)?.length === 0;
      if (areas.length === 0 || node.look?.kubelet.failSwapOn === false || !(down || silent)) return undefined;
      return `${areas.map(({ device, bytes }) => `${device} (${formatBytes(bytes)})`).join(', ')} is in use, and kubelet.service is ${unit?.active ?? 'silent'}`;
    }),
};
