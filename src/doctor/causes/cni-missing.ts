import type { Cause } from '../cause.ts';
import { each, isMember, known } from './help.ts';

export const cniMissing: Cause = {
  id: 'cni-missing',
  title: 'no pod network (CNI) is configured',
  needs: ['facts', 'look', 'logs'],
  why: 'without a file in /etc/cni/net.d {nodes} stay NotReady and pods with a network of their own do not start',
  explanation: `kubeadm brings no pod network. Until one is installed nodes are NotReady with "cni plugin not initialized", CoreDNS stays
Pending, and pods with hostNetwork run: the control plane itself works.`,
  run: 'kubectl apply -f CNI.yaml    (or spec.kubernetes.cni, then hairpin up)',
  logsAloneAreOld: true,
  produced: 'scenario',
  signs: [
    {
      in: ['kubelet', 'containerd'],
      match:
        /(?:cni plugin not initialized|cni config uninitialized|NetworkPluginNotReady|no networks found in \/etc\/cni\/net\.d)/,
      unless: /Fast updating node status as it just became ready|"?event"?="?NodeReady|Node became (?:ready|Ready)/,
      confidence: 'certain',
      example:
        'E1127 10:00:00.000000    1811 kubelet.go:3210] "Container runtime network not ready" networkReady="NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"',
      seenIn: 'kubelet (pkg/kubelet/kubelet.go)',
    },
  ],
  judge(live) {
    const ready = new Map(
      live.nodes.flatMap(({ facts }) => known(facts?.api)?.nodes ?? []).map((node) => [node.name, node.ready]),
    );
    return each(live.nodes, 'certain', (node) =>
      isMember(node) && node.look?.cniFiles.length === 0 && ready.get(node.spec.name) !== true
        ? '/etc/cni/net.d has no configuration, and the node is not Ready'
        : undefined,
    );
  },
};
