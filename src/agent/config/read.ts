import { readFile } from 'node:fs/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { type AgentConfig, agentConfigSchema, agentPaths } from './config.ts';

/** Throws `AGENT_CONFIG` with every problem and its path; a daemon that has a configuration keeps that one then. */
export async function readAgentConfig(path: string = agentPaths.config): Promise<AgentConfig> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new OperatorError('AGENT_CONFIG', `Cannot read ${path}`, {
      cause: error,
      hint: 'hairpin up or hairpin agent install writes it',
    });
  });
  return parseAgentConfig(text, path);
}

export function parseAgentConfig(text: string, path: string): AgentConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OperatorError('AGENT_CONFIG', `${path} is not JSON`, { cause: error });
  }
  const parsed = agentConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`);
  throw new OperatorError('AGENT_CONFIG', `${path} is not a configuration of the agent`, {
    cause: problems.join('\n'),
    hint: 'written by hand? hairpin up or hairpin agent install writes it anew',
  });
}
