import { quoteArgv } from '../../std/quote.ts';
import { inNetns, type LabCommand } from '../commands/command.ts';
import { netnsPath } from '../topology/names.ts';
import type { MachineSpace, Topology } from '../topology/topology.ts';
import type { MachineNetwork } from './machine-network.ts';

/** The nftables table that makes a machine that is off as silent as one; gone with its namespace when it boots. */
export const offTable = 'lab_off';

/**
 * A shell script that gives a machine a network as fresh as its kernel would be after a boot: a new namespace (no rules,
 * connections, addresses or settings of the last run). Its network card moves into it: what the fabric and the balancer
 * know about the link stays, and so does the hardware address. Run as `network.sh off` it leaves a machine that is not
 * there: nothing comes in, nothing goes out, nobody answers.
 */
export function networkScript(topology: Topology, space: MachineSpace, again: MachineNetwork): string {
  const { netns, device, peer } = space;
  const silenced = silence(space);
  return [
    '#!/bin/sh',
    `# Makes the network of ${space.machine.name} anew. Run when the machine is off: network.sh [off]`,
    // Held open, so that the old namespace and the card in it outlive its name.
    `[ ! -e ${netnsPath(netns)} ] || exec 9< ${netnsPath(netns)}`,
    `ip netns del ${netns} 2>/dev/null`,
    'set -e',
    `ip netns add ${netns}`,
    `if ! nsenter --net=/proc/$$/fd/9 -- ip link set dev ${device} netns ${netns} 2>/dev/null; then`,
    `ip -n ${topology.fabric.netns} link del dev ${peer} 2>/dev/null || true`,
    ...shellLines(again.link),
    'fi',
    'exec 9<&-',
    ...shellLines(again.rest),
    'if [ $# = 1 ]; then',
    ...shellLines([silenced]),
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

function shellLines(commands: readonly LabCommand[]): string[] {
  return commands.flatMap(({ argv, stdin }, index) => {
    const line = quoteArgv(argv);
    return stdin === undefined ? [line] : [`${line} <<'END${index}'`, stdin.replace(/\n$/, ''), `END${index}`];
  });
}
