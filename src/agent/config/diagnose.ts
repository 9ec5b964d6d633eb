import type { Diagnostic } from '../../errors/diagnostic.ts';
import { readYaml } from '../../spec/read-yaml.ts';
import { agentConfigSchema } from './config.ts';
import { contradictions } from './contradictions.ts';

/** All problems of a configuration that is wrong. With the libraries that know reasons and positions. */
export function diagnoseAgentConfig(text: string, file: string, syntax: string | undefined): readonly Diagnostic[] {
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
