import type { Cause } from '../cause.ts';
import { dialsAt, each, membersOf } from './help.ts';

export const hungApiserver: Cause = {
  id: 'hung-apiserver',
  title: 'an apiserver hangs behind a healthy port',
  needs: ['dials'],
  why: 'the kernel accepts connections for {nodes} and nobody answers; a TCP check is content with that',
  explanation: `A process that is stopped, starved or stuck keeps its listening socket: connections are accepted by the kernel and nobody
speaks. Balancers that only connect, and proxies that only count refusals, go on sending clients there (nginx for ever,
KubePrism for 11 s). Clients of the endpoint lose their share until the process goes on.`,
  run: 'ps -o pid,stat,etime,args -C kube-apiserver    (on {node}; stat T is stopped; end it and the kubelet starts another: crictl stop $(crictl ps -q --name kube-apiserver))',
  produced: 'scenario',
  signs: [],
  judge: (live) =>
    each(membersOf(live), 'certain', (node) => {
      const dials = dialsAt(live, node.spec.name);
      const silent = dials.filter((one) => one.dials.silent > 0 && one.dials.answered === 0);
      if (silent.length === 0 || silent.length < dials.length) return undefined;
      return `accepts connections and says nothing, to ${silent.map(({ by }) => by).join(', ')}`;
    }),
};
