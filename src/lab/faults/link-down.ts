import { reattach } from '../commands/fabric.ts';
import { mustRun, runCommands } from '../runtime/context.ts';
import type { LabFault } from './fault.ts';
import { linkOf, machineOf } from './machine-of.ts';

/** The cable is pulled: the machine sees its carrier go, and the fabric forgets its routes to it. */
export const linkDownFault: LabFault = {
  name: 'link-down',
  summary: "the machine's network cable is pulled",
  target: 'node',

  async inject(cx) {
    const { netns, peer } = linkOf(cx);
    await mustRun(cx.lab, 'the fault', ['ip', '-n', netns, 'link', 'set', 'dev', peer, 'down']);
    return {};
  },

  // Setting the link up is not enough: the kernel dropped the routes, and the IPv6 addresses, of the fabric's end.
  async heal(cx) {
    await runCommands(cx.lab, 'healing', reattach(cx.lab.topology, machineOf(cx)));
  },
};
