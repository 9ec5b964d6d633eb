import { quoteArgv } from '../../std/quote.ts';
import { inNetns, type LabCommand } from '../commands/command.ts';
import type { MachineSpace, Topology } from '../topology/topology.ts';

/** The nftables table that makes a machine that is off as silent as one; gone with its namespace when it boots. */
export const offTable = 'lab_off';

/**
 * A shell script that gives a machine a network as fresh as its kernel would be after a boot: a new namespace (no
 * rules, connections, addresses or settings of the last run), linked as the drawing says. `again` are the commands of
 * the drawing for this machine. The device keeps its hardware address, as a machine's does. Run as `network.sh off` it
 * leaves a machine that is not there: nothing comes in, nothing goes out, nobody answers.
 */
export function networkScript(topology: Topology, space: MachineSpace, again: readonly LabCommand[]): string {
  const { netns, device, peer } = space;
  const fabric = topology.fabric.netns;
  const silenced = silence(space);
  return [
    '#!/bin/sh',
    `# Makes the network of ${space.machine.name} anew. Run when the machine is off: network.sh [off]`,
    `mac=$(ip -n ${netns} -o link show dev ${device} 2>/dev/null | sed -n 's/.*link\\/ether \\([0-9a-f:]*\\).*/\\1/p')`,
    // The link goes at once, the namespace when the kernel gets to it; the name has to be free.
    `ip -n ${fabric} link del dev ${peer} 2>/dev/null`,
    `ip netns del ${netns} 2>/dev/null`,
    'set -e',
    `ip netns add ${netns}`,
    ...again.flatMap(({ argv, stdin }, index) => shell(argv, stdin, `END${index}`)),
    `[ -z "$mac" ] || ip -n ${netns} link set dev ${device} address "$mac"`,
    'if [ $# = 1 ]; then',
    ...shell(silenced.argv, silenced.stdin, 'OFF'),
    'fi',
    '',
  ].join('\n');
}

/** Nothing comes in, nothing goes out, nobody answers: neither an address nor, on a segment, who has it. */
export function silence(space: MachineSpace): LabCommand {
  const drop = (family: string, hook: string) =>
    `table ${family} ${offTable} {\n  chain ${hook} {\n    type filter hook ${hook} priority -400; policy drop;\n  }\n}`;
  const rules = [drop('inet', 'prerouting'), drop('inet', 'output'), drop('arp', 'input'), drop('arp', 'output')];
  return { argv: inNetns(space.netns, ['nft', '-f', '-']), stdin: `${rules.join('\n')}\n` };
}

function shell(argv: readonly string[], stdin: string | undefined, end: string): string[] {
  const line = quoteArgv(argv);
  return stdin === undefined ? [line] : [`${line} <<'${end}'`, stdin.replace(/\n$/, ''), end];
}
