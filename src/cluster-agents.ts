import type { AgentStatus } from './agent/status/document.ts';
import type { ClusterSession } from './apply/flow/session.ts';
import { agentPaths } from './render/agent/paths.ts';

export type { AgentStatus } from './agent/status/document.ts';
export { readAgentStatus } from './agent/status/read.ts';
export { agentPaths } from './render/agent/paths.ts';

export type NodeAgent = { readonly node: string; readonly role: string } & (
  | { readonly is: 'answered'; readonly status: AgentStatus }
  | { readonly is: 'silent'; readonly why: string }
);

/** Asks the agent of every node, or of these, through the program that is there; all at once. Looks only. */
export async function clusterAgents(
  session: ClusterSession,
  opts: { readonly signal: AbortSignal; readonly nodes?: readonly string[] },
): Promise<readonly NodeAgent[]> {
  const argv = [agentPaths.program, 'agent', 'status', '--output', 'json'];
  const asked = session.spec.nodes.filter(({ name }) => opts.nodes?.includes(name) ?? true);
  return await Promise.all(
    asked.map(async ({ name, role }): Promise<NodeAgent> => {
      try {
        const result = await session.nodes.get(name)?.probe(argv, { signal: opts.signal, timeout: 15_000 });
        return { node: name, role, ...answerOf(result?.stdout ?? '', result?.stderr ?? '') };
      } catch (error) {
        opts.signal.throwIfAborted();
        return { node: name, role, is: 'silent', why: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

function answerOf(
  stdout: string,
  stderr: string,
): { readonly is: 'answered'; readonly status: AgentStatus } | { readonly is: 'silent'; readonly why: string } {
  try {
    const value = JSON.parse(stdout) as AgentStatus | { readonly error: { readonly message: string } };
    return 'error' in value ? { is: 'silent', why: value.error.message } : { is: 'answered', status: value };
  } catch {
    const last = stderr.trim().split('\n').at(-1) ?? '';
    return { is: 'silent', why: /not found|No such file/.test(last) || last === '' ? 'no agent is installed' : last };
  }
}
