import { controlPlaneNodes } from '../../spec/spec.ts';
import { formatHostPort } from '../../std/address.ts';
import { apiserverReady } from '../ask/holds.ts';
import { askEach, type Check } from '../check.ts';

export const apiserversReady: Check = {
  name: 'apiservers-ready',
  title: "each master's own apiserver is ready",
  ask: (cx) =>
    askEach(cx, controlPlaneNodes(cx.spec), (node) =>
      apiserverReady(formatHostPort(node.address, cx.spec.apiServerPort)),
    ),
};
