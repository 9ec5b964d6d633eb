import { readFile } from 'node:fs/promises';
import { formatDiagnostic } from '../../errors/diagnostic.ts';
import type { AgentConfig } from '../config/config.ts';
import { readAgentConfig } from '../config/read-config.ts';
import type { Log } from '../log/log.ts';

export type ReadAgain =
  | { readonly ok: true; readonly config: AgentConfig; readonly sha256: string }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The configuration, as SIGHUP wants it read again. Everything that is wrong with it is in the log, a line each. */
export async function readConfigAgain(path: string, log: Log): Promise<ReadAgain> {
  let read: Awaited<ReturnType<typeof readAgentConfig>>;
  try {
    read = await readAgentConfig(await readFile(path, 'utf8'), path);
  } catch (error) {
    const problem = `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    log.error({}, `${problem}; the configuration in force stays`);
    return { ok: false, problems: [problem] };
  }
  if (!read.ok) {
    const problems = read.diagnostics.map(formatDiagnostic);
    for (const line of problems) log.error({}, line);
    log.error({ problems: problems.length }, `${path} is refused; the configuration in force stays`);
    return { ok: false, problems };
  }
  const { config, checksum: sha256 } = read;
  log.info({ sha256 }, `${path} was read again and is in force`);
  return { ok: true, config, sha256 };
}
