import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentStatus } from '../../src/agent/status/document.ts';
import { readStatus } from './agent/loopback.ts';
import type { AgentMachine } from './agent-machine.ts';

export const agentStatus = async (agent: AgentMachine): Promise<AgentStatus> => readStatus(agent.paths.statusSocket);

/** Waits until the status of an agent is so; the failure says what it was instead. */
export async function untilStatus(
  agent: AgentMachine,
  what: string,
  fits: (status: AgentStatus) => boolean,
  ms = 30_000,
): Promise<void> {
  let last: AgentStatus | undefined;
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20)) {
    last = await agentStatus(agent);
    if (fits(last)) return;
  }
  const log = agent.log.slice(-40).join('\n');
  throw new Error(`${agent.name}, after ${ms} ms: ${what}\n${JSON.stringify(last, undefined, 1)}\n${log}`);
}

/** Every apiserver is ready, masters are steered to themselves and workers to all. */
export async function untilSteady(
  agents: readonly AgentMachine[],
  masters: readonly string[],
  ms = 60_000,
): Promise<void> {
  for (const agent of agents) {
    const wanted = agent.config.node.role === 'worker' ? masters.join() : agent.name;
    await untilStatus(
      agent,
      `steers to ${wanted}`,
      (s) => s.inForce?.backends.join() === wanted && s.table.renewing && s.backends.every((b) => b.state === 'ready'),
      ms,
    );
  }
}
