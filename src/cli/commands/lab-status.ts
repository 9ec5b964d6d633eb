import { Command } from 'commander';
import { type LabStatus, labStatus } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

/** `hairpin lab status`. */
export function labStatusCommand(): Command {
  return new Command('status')
    .description('show where a lab keeps its files, its machines, its balancer and what is broken on purpose')
    .option('--lab <name>', 'name of the lab', 'lab')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin lab status --output json | jq -r .spec\n')
    .action(async (options: { lab: string; output?: string }) =>
      runCommand(options, async ({ signal, print }) => {
        const status = await labStatus(options.lab, { signal });
        print(status, () => formatLabStatus(status));
        return undefined;
      }),
    );
}

export function formatLabStatus(status: LabStatus): string {
  const { endpoint, balancer } = status;
  const name = endpoint.domain === null ? '' : `${endpoint.domain} → `;
  const widest = Math.max(...status.nodes.map((node) => node.name.length));
  return [
    `${status.name}: ${status.tier} tier, ${status.network} network`,
    '',
    `  endpoint  ${name}${endpoint.addresses.join(', ')} port ${endpoint.port}`,
    `  balancer  ${balancer.preset ?? balancer.behaviour}${balancer.preset === null ? '' : ` (${balancer.behaviour})`}${balancer.problem === null ? '' : `, not answering: ${balancer.problem}`}`,
    `  spec      ${status.spec}`,
    ...(status.ssh_config === null ? [] : [`  ssh       ssh -F ${status.ssh_config} ${status.nodes[0]?.name ?? 'm1'}`]),
    '',
    ...status.nodes.map(
      (node) =>
        `  ${node.name.padEnd(widest)}  ${node.role.padEnd(13)}  ${node.state.padEnd(8)}  ${node.addresses.join(', ')}`,
    ),
    ...(status.faults.length === 0 ? [] : ['', '  broken on purpose']),
    ...status.faults.map(
      ({ fault, target, process }) => `  ${fault} ${target}${process === undefined ? '' : ` ${process}`}`,
    ),
  ].join('\n');
}
