import { Command } from 'commander';
import { type ClusterStatus, exitCodes, readStatus } from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';
import { type ClusterOptions, fileOption, sessionFor, sudoOption } from './cluster-options.ts';

/** `hairpin status`: where the cluster stands, at a glance. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show nodes, etcd, the way of every client to the endpoint, and when certificates expire')
    .addOption(fileOption())
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin status -f cluster.yaml\n')
    .action((options: ClusterOptions) =>
      runCommand(options, async (cx) => {
        await using session = await sessionFor(options, cx);
        const status = await readStatus({ session, emit: cx.emit, signal: cx.signal });
        cx.print(status, () => inWords(status));
        const well = status.pending === 0 && status.nodes.every((node) => node.state === 'Ready');
        return well ? exitCodes.ok : exitCodes.changes;
      }),
    );
}

function inWords(status: ClusterStatus): string {
  const behaviour = status.behaviour === undefined ? '' : ` (balancer: ${status.behaviour})`;
  const { firstExpiry } = status;
  return [
    `${status.cluster}: Kubernetes ${status.kubernetes}, endpoint ${status.endpoint}, strategy ${status.strategy}${behaviour}`,
    '',
    table(
      status.nodes.map((node) => [
        node.name,
        node.role,
        node.address,
        node.state,
        node.kubelet ?? '',
        apiserver(node.apiserver),
      ]),
    ),
    '',
    table([
      [
        'etcd',
        status.etcd
          .map(({ name, role, started }) => `${name} ${started ? role : `${role}, never started`}`)
          .join(', ') || 'not seen',
      ],
      ...wayRows(status),
      [
        'certificates',
        firstExpiry === undefined
          ? 'not seen'
          : `the first expires ${firstExpiry.inWords}: ${firstExpiry.node}:${firstExpiry.path}`,
      ],
      ['up would do', status.pending === 0 ? 'nothing' : `${status.pending} steps: hairpin plan shows them`],
    ]),
    ...(status.blockers.length === 0 ? [] : ['', ...status.blockers]),
  ].join('\n');
}

function apiserver(state: 'ready' | 'not ready' | undefined): string {
  return state === undefined ? '' : `apiserver ${state}`;
}

/** Nodes and clients that go the same way share a line. */
function wayRows({ endpoints }: ClusterStatus): string[][] {
  const ways = new Map<string, Map<string, string[]>>();
  for (const { node, client, route } of endpoints) {
    const clients = ways.get(route) ?? new Map<string, string[]>();
    clients.set(node, [...(clients.get(node) ?? []), client]);
    ways.set(route, clients);
  }
  return [...ways].flatMap(([route, clients]) => {
    const byClients = new Map<string, string[]>();
    for (const [node, names] of clients)
      byClients.set(names.join(', '), [...(byClients.get(names.join(', ')) ?? []), node]);
    return [...byClients].map(([names, nodes]) => [
      nodes.length > 3 ? `${nodes[0]} … ${nodes.at(-1)}` : nodes.join(', '),
      names === 'outside' ? route : `${names} → ${route}`,
    ]);
  });
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd()).join('\n');
}
