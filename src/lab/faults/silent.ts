import { inNetns, nft } from '../commands/command.ts';
import { mustRun, runCommands } from '../runtime/context.ts';
import type { FaultContext, LabFault } from './fault.ts';
import { linkOf } from './machine-of.ts';

/**
 * Everything that a machine sends and everything that is sent to it vanishes, in the fabric: no carrier is lost, nothing
 * is refused, ARP is not answered. What a dead switch or a wrong security group looks like.
 *
 * Hooked in at the device, below bridges and routing, so it is the same on both kinds of network.
 */
export const silentFault: LabFault = {
  name: 'silent',
  summary: 'all packets from and to the machine are dropped without a word',
  target: 'node',

  async inject(cx) {
    const { netns, peer } = linkOf(cx);
    await runCommands(cx.lab, 'the fault', [nft(netns, silentTable(tableOf(cx), peer))]);
    return {};
  },

  async heal(cx) {
    const { netns } = linkOf(cx);
    const destroy = `table netdev ${tableOf(cx)}\ndelete table netdev ${tableOf(cx)}\n`;
    await mustRun(cx.lab, 'healing', inNetns(netns, ['nft', '-f', '-']), { stdin: destroy });
  },
};

/** Pure: the ruleset that drops both directions of a device of the fabric. */
export function silentTable(table: string, device: string): string {
  const chain = (name: string, hook: string) => [
    `  chain ${name} {`,
    `    type filter hook ${hook} device "${device}" priority -500;`,
    '    drop',
    '  }',
  ];
  return [`table netdev ${table} {`, ...chain('from_it', 'ingress'), ...chain('to_it', 'egress'), '}', ''].join('\n');
}

function tableOf(cx: FaultContext): string {
  return `silent_${cx.target}`;
}
