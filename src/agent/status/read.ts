import { connect } from 'node:net';
import type { AgentStatus } from './document.ts';

// Far above the status of 64 masters; whoever sends more is not the agent.
const mostBytes = 1 << 20;

/** Reads the status of the agent of this node. Rejects when nobody answers within `timeoutMs`, in words. */
export async function readAgentStatus(path: string, timeoutMs: number): Promise<AgentStatus> {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(path);
    let received = '';
    socket.setEncoding('utf8');
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`nothing from ${path} within ${timeoutMs} ms`)));
    socket.on('error', reject);
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (received.length > mostBytes) socket.destroy(new Error(`${path} sends too much`));
    });
    socket.on('end', () => resolve(received));
  });
  // Its own program wrote it; who else can write there could do anything else, too.
  return JSON.parse(text) as AgentStatus;
}
