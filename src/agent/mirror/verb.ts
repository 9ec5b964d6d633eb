import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { formatDiagnostic } from '../../errors/diagnostic.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import type { AgentConfig } from '../config/config.ts';
import { agentPaths } from '../config/paths.ts';
import { readAgentConfig } from '../config/read-config.ts';
import { readAgentStatus } from '../status/read.ts';
import { runMirror } from './mirror.ts';

/** `hairpin agent mirror [--config FILE] [--drain-file FILE]`, until SIGTERM or SIGINT; SIGHUP reads the configuration again. */
export async function mirrorVerb(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string', default: agentPaths.config },
      'drain-file': { type: 'string', default: agentPaths.drainFile },
      'status-socket': { type: 'string', default: agentPaths.statusSocket },
    },
  });
  // The journal has the time and the unit.
  const log = (text: string) => void process.stdout.write(`${text}\n`);
  let config = await read(values.config);
  if (config.mirror === undefined) {
    log('no mirror is configured on this node');
    return;
  }
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  process.on('SIGHUP', () => {
    read(values.config).then(
      (again) => {
        config = again;
        log('configuration read again');
      },
      (error: unknown) =>
        log(`${error instanceof Error ? error.message : String(error)}; the one before stays in force`),
    );
  });
  await runMirror({
    config: () => config,
    drainFile: values['drain-file'],
    prober: () => asProberSays(values['status-socket']),
    log,
    signal: stop.signal,
    now: () => performance.now(),
    onListening: (port) => log(`answers on port ${port}`),
  });
}

async function read(path: string): Promise<AgentConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const hint = 'hairpin up and hairpin agent install write it';
    throw new OperatorError('AGENT_CONFIG', `Cannot read ${path}`, { cause, hint });
  });
  const result = await readAgentConfig(text, path);
  if (result.ok) return result.config;
  throw new OperatorError('AGENT_CONFIG', result.diagnostics.map(formatDiagnostic).join('; '));
}

/** The prober has the node's certificate and may ask /readyz where nobody else may. */
async function asProberSays(socket: string): Promise<'ready' | 'not-ready' | undefined> {
  const status = await readAgentStatus(socket, 300).catch(() => undefined);
  const ready = status?.backends.find(({ self }) => self)?.ready;
  return ready === true ? 'ready' : ready === false ? 'not-ready' : undefined;
}
