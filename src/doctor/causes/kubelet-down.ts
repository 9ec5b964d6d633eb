import type { Cause } from '../cause.ts';
import { each, isMember, known } from './help.ts';

export const kubeletDown: Cause = {
  id: 'kubelet-down',
  title: 'the kubelet does not run',
  needs: ['facts'],
  why: 'nobody starts or restarts pods on {nodes}, and its lease runs out',
  explanation: `Static pods that run go on without a kubelet; nothing restarts them, and the node is NotReady after the grace period. Why it
does not run is in its journal.`,
  run: 'journalctl -u kubelet -n 50; systemctl start kubelet    (on {nodes})',
  general: true,
  produced: 'scenario',
  signs: [],
  judge: (live) =>
    each(live.nodes, 'certain', (node) => {
      const unit = known(node.facts?.units)?.['kubelet.service'];
      return isMember(node) && unit !== undefined && unit.active !== 'active'
        ? `kubelet.service is ${unit.active} (${unit.enabled})`
        : undefined;
    }),
};
