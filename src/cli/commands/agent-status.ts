import { Command, Option } from 'commander';
import {
  type AgentStatus,
  agentPaths,
  clusterAgents,
  exitCodes,
  formatDuration,
  type NodeAgent,
  OperatorError,
  readAgentStatus,
} from '../../index.ts';
import { outputOption } from '../output.ts';
import { type CommandContext, runCommand } from '../run.ts';
import { type ClusterOptions, sessionFor, sudoOption } from './cluster-options.ts';

interface Options extends Omit<ClusterOptions, 'file'> {
  readonly file?: string;
}

/** `hairpin agent status`: of this node by its socket, or of all nodes by ssh. */
export function agentStatusCommand(): Command {
  return new Command('status')
    .description('show whom the agent steers to and what it thinks of each apiserver; with -f, of all nodes')
    .addOption(new Option('-f, --file <cluster.yaml>', 'ask the agents of all nodes of this spec, by ssh'))
    .addOption(sudoOption())
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  hairpin agent status\n  hairpin agent status -f cluster.yaml --output json\n')
    .action((options: Options) =>
      runCommand(options, async (cx) => {
        const { file } = options;
        return file === undefined ? await ofThisNode(cx) : await ofAllNodes({ ...options, file }, cx);
      }),
    );
}

async function ofThisNode(cx: CommandContext): Promise<number> {
  const status = await readAgentStatus(agentPaths.statusSocket, 3000).catch((error: unknown) => {
    throw new OperatorError('AGENT_SILENT', 'The agent of this machine does not answer', {
      cause: error,
      hint: 'systemctl status hairpin-agent; from another machine: hairpin agent status -f cluster.yaml',
    });
  });
  cx.print(status, () => inFull(status));
  return isWell(status) ? exitCodes.ok : exitCodes.changes;
}

async function ofAllNodes(options: ClusterOptions, cx: CommandContext): Promise<number> {
  await using session = await sessionFor(options, cx);
  const agents = await clusterAgents(session, { signal: cx.signal });
  cx.print(agents, () => table([['node', 'goes to', 'held', 'table', 'apiservers'], ...agents.map(rowOf)]));
  const well = agents.every((agent) => (agent.is === 'answered' ? isWell(agent.status) : agent.role === 'worker'));
  return well ? exitCodes.ok : exitCodes.changes;
}

/** Steers, or says by itself that it does not; and what it wants is what the kernel does. */
function isWell(status: AgentStatus): boolean {
  return status.steerer.up && status.table.problem === null && status.config.problems.length === 0;
}

function rowOf(agent: NodeAgent): readonly string[] {
  if (agent.is === 'silent') return [agent.node, agent.role === 'worker' ? 'balancer' : '?', '', '', agent.why];
  const { status } = agent;
  return [
    agent.node,
    goesTo(status),
    status.inForce?.hold === true ? 'yes' : 'no',
    tableOf(status),
    status.backends.map(({ name, state }) => `${name} ${state}`).join(', '),
  ];
}

function goesTo({ inForce }: AgentStatus): string {
  return inForce === null || inForce.backends.length === 0 ? 'balancer' : inForce.backends.join(', ');
}

function tableOf({ table: { renewing, renewedMsAgo, problem } }: AgentStatus): string {
  if (problem !== null) return problem;
  if (renewedMsAgo === null) return 'not renewed yet';
  // One renewal left out, while a switch is under way, is no lapse: the element lives for 3 s (design.md).
  if (!renewing && renewedMsAgo > 3000) return 'lapsed';
  return `renewed ${formatDuration(renewedMsAgo)} ago`;
}

function inFull(status: AgentStatus): string {
  const { node, endpoint, backends, config, steerer, membership } = status;
  const problems = [...config.problems, steerer.problem, endpoint.dnsProblem, membership.problem].filter(
    (p) => p !== null,
  );
  return [
    `${node.name} (${node.role}): ${endpoint.host}:${endpoint.port} goes to ${goesTo(status)}; refusals ${status.inForce?.hold === true ? 'are held' : 'are not held'}; table ${tableOf(status)}`,
    '',
    table([
      ['apiserver', 'state', 'since', 'round trip', 'why'],
      ...backends.map(({ name, self, state, sinceMs, rttMs, reason }) => [
        self ? `${name} (self)` : name,
        state,
        formatDuration(sinceMs),
        rttMs === null ? '' : `${rttMs.toFixed(1)} ms`,
        reason ?? '',
      ]),
    ]),
    ...(problems.length === 0 ? [] : ['', ...problems.map((problem) => `problem: ${problem}`)]),
    '',
    `up ${formatDuration(status.uptimeMs)}, ${status.counters.switches} switches, ${status.counters.resets} resets, ${status.counters.repairs} repairs`,
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd()).join('\n');
}
