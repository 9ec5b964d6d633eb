import { addressAt, formatHostPort } from '../../std/address.ts';
import { connections } from '../ask/connect.ts';
import type { Verdict } from '../ask/question.ts';
import { askEach, type Check } from '../check.ts';

/** kubernetes.default is the first address of the first service network. */
export const serviceReached: Check = {
  name: 'service-reached',
  title: 'each node, and a pod on it, reaches the Service kubernetes.default',
  heavy: true,
  ask: async (cx): Promise<Verdict> => {
    const net = cx.spec.kubernetes.serviceSubnets[0];
    if (net === undefined) return { is: 'skip', reason: 'the spec has no service network' };
    const url = `https://${formatHostPort(addressAt(net, 1), 443)}/version`;
    const [nodes, pods] = await Promise.all([
      askEach(cx, cx.spec.nodes, () => connections(url, { from: 'node', tries: 3 })),
      askEach(cx, cx.spec.nodes, () => connections(url, { from: 'pod', tries: 3 })),
    ]);
    return nodes.is === 'not-ok' ? nodes : pods;
  },
};
