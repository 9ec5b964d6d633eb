import type { Cause } from '../cause.ts';
import { dialsAt, each, listensOn, membersOf } from './help.ts';

export const apiserverDown: Cause = {
  id: 'apiserver-down',
  title: 'an apiserver does not run',
  needs: ['facts', 'dials'],
  why: 'nothing listens on its port on {nodes}; clients that are bound to it are refused, the balancer ejects it',
  explanation: `The kubelet restarts a static pod that ends, with a back-off of up to five minutes. Strategies that bind a master to itself
(bind-vip, hosts) lose the API there for as long; steer sends its connections to another one.`,
  run: 'crictl ps -a --name kube-apiserver; crictl logs $(crictl ps -aq --name kube-apiserver | head -n 1)    (on {nodes})',
  general: true,
  produced: 'scenario',
  signs: [],
  judge: (live) =>
    each(membersOf(live), 'certain', (node) => {
      const dials = dialsAt(live, node.spec.name);
      const refused = dials.length > 0 && dials.every((one) => one.dials.answered === 0 && one.dials.refused > 0);
      if (!refused || listensOn(node, live.spec.apiServerPort) === true) return undefined;
      return `nothing listens on ${live.spec.apiServerPort}; ${dials.map(({ by }) => by).join(', ')} ${dials.length === 1 ? 'is' : 'are'} refused`;
    }),
};
