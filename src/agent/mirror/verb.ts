import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { formatDiagnostic } from '../../errors/diagnostic.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import type { AgentConfig } from '../config/config.ts';
import { agentPaths } from '../config/paths.ts';
import { readAgentConfig } from '../config/read-config.ts';
import { readAgentStatus } from '../status/read.ts';
import { inheritedSocket } from '../steerer/systemd.ts';
import { runMirror } from './mirror.ts';

/** Started by a balancer that asks, and not needed when none does. */
const idleMs = 10 * 60_000;

/**
 * `hairpin agent mirror [--config FILE] [--drain-file FILE] [--idle-ms MS]`, until SIGTERM or SIGINT. Follows the
 * configuration file by itself: nobody has to know whether it runs. With a socket of systemd's it ends when nobody has
 * asked for `--idle-ms`.
 */
export async function mirrorVerb(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string', default: agentPaths.config },
      'drain-file': { type: 'string', default: agentPaths.drainFile },
      'status-socket': { type: 'string', default: agentPaths.statusSocket },
      'idle-ms': { type: 'string', default: `${idleMs}` },
    },
  });
  // The journal has the time and the unit.
  const log = (text: string) => void process.stdout.write(`${text}\n`);
  const config = await followConfig(values.config, log);
  if ((await config()).mirror === undefined) {
    log('no mirror is configured on this node');
    return;
  }
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  const fd = inheritedSocket(process.env, process.pid);
  await runMirror({
    config,
    fd,
    idleMs: fd === undefined ? undefined : Number(values['idle-ms']),
    drainFile: values['drain-file'],
    prober: () => asProberSays(values['status-socket']),
    log,
    signal: stop.signal,
    now: () => performance.now(),
    onListening: (port) => log(`answers on port ${port}`),
  });
}

/** The configuration as the file has it now; one that cannot be read or used leaves the one before in force. */
async function followConfig(path: string, log: (text: string) => void): Promise<() => Promise<AgentConfig>> {
  const stampOf = async () => {
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? 'absent' : `${found.ino} ${found.mtimeMs} ${found.size}`;
  };
  let stamp = await stampOf();
  let config = await read(path);
  return async () => {
    const current = await stampOf();
    if (current === stamp) return config;
    stamp = current;
    try {
      config = await read(path);
      log('configuration read again');
    } catch (error) {
      log(`${error instanceof Error ? error.message : String(error)}; the one before stays in force`);
    }
    return config;
  };
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
