import { createHash } from 'node:crypto';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import { type AgentConfig, agentConfigSchema } from './config.ts';

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
  if (syntax === undefined) {
    const parsed = agentConfigSchema.safeParse(data);
    if (parsed.success && contradictions(parsed.data).length === 0) {
      return { ok: true, config: parsed.data, checksum: createHash('sha256').update(text).digest('hex') };
    }
  }
  return { ok: false, diagnostics: await diagnose(text, file, syntax) };
}

/** The reader that knows positions costs memory for good, so only a file that is wrong pays for it. */
async function diagnose(text: string, file: string, syntax: string | undefined): Promise<readonly Diagnostic[]> {
  const { readYaml } = await import('../../spec/read-yaml.ts');
  const read = readYaml(text, agentConfigSchema, file);
  if (!read.ok) return read.diagnostics;
  const found = contradictions(read.value).map(({ path, problem, expected }) =>
    read.source.diagnose(path, { code: 'AGENT_CONFIG', problem, expected }),
  );
  if (found.length > 0) return found;
  // It is good YAML but no JSON.
  const at = Number(/position (\d+)/.exec(syntax ?? '')?.[1] ?? 0);
  const before = text.slice(0, at).split('\n');
  const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  return [{ file, ...place, path: '', code: 'JSON_SYNTAX', problem: `it is not JSON: ${syntax ?? 'unreadable'}` }];
}

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly problem: string;
  readonly expected?: string;
}

/** What no single field shows. */
function contradictions(config: AgentConfig): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const owners = new Map<string, string>();
  const names = new Set<string>();
  for (const [index, master] of config.masters.entries()) {
    if (names.has(master.name))
      found.push({ path: ['masters', index, 'name'], problem: `${master.name} is there twice` });
    names.add(master.name);
    for (const [place, address] of master.addresses.entries()) {
      const owner = owners.get(address);
      if (owner !== undefined) {
        const problem = `${address} is used by ${owner} too`;
        found.push({ path: ['masters', index, 'addresses', place], problem });
      }
      owners.set(address, master.name);
    }
  }
  for (const address of config.node.addresses) owners.set(address, owners.get(address) ?? config.node.name);
  for (const [index, address] of config.endpoint.addresses.entries()) {
    const owner = owners.get(address);
    if (owner === undefined) continue;
    const problem = `${address} is the address of node ${owner}`;
    found.push({ path: ['endpoint', 'addresses', index], problem, expected: "the balancer's address" });
  }
  return found;
}
