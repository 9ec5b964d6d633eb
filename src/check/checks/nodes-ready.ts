import { nodesReady as question } from '../ask/holds.ts';
import { askAnyMaster, type Check } from '../check.ts';

export const nodesReady: Check = {
  name: 'nodes-ready',
  title: 'every node is Ready',
  ask: (cx) => {
    const names = cx.spec.nodes.map((node) => node.name);
    return askAnyMaster(cx, (master) => question(cx.spec, master, names));
  },
};
