import { createHash } from 'node:crypto';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import type { AgentConfig } from './config.ts';
import { contradictions } from './contradictions.ts';
import { agentConfigShape } from './shape.ts';

export type ConfigResult =
  | { readonly ok: true; readonly config: AgentConfig; readonly checksum: string }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Reads agent.json: a value and the SHA-256 of its text, or all problems, each with its line and column. Every process
 * of the agent reads it here, so that they agree on what it says. Does no I/O: `file` is only printed.
 */
export async function readAgentConfig(text: string, file: string): Promise<ConfigResult> {
  let data: unknown;
  let syntax: string | undefined;
  try {
    data = JSON.parse(text);
  } catch (error) {
    syntax = error instanceof Error ? error.message : String(error);
  }
  if (agentConfigShape(data) && contradictions(data).length === 0) {
    return { ok: true, config: data, checksum: createHash('sha256').update(text).digest('hex') };
  }
  // Costs memory for good, so only a file that is wrong pays for it.
  const { diagnoseAgentConfig } = await import('./diagnose.ts');
  return { ok: false, diagnostics: diagnoseAgentConfig(text, file, syntax) };
}
