import { kubeProxySynced as question } from '../ask/holds.ts';
import { askEach, type Check } from '../check.ts';

/** On masters this is the first thing that a balancer without hairpin breaks, and nothing else shows it. */
export const kubeProxySynced: Check = {
  name: 'kube-proxy-synced',
  title: 'kube-proxy has synced on every node',
  ask: (cx) => askEach(cx, cx.spec.nodes, () => question),
};
