import { parseArgs } from 'node:util';
import { agentPaths } from '../config/config.ts';
import { readAgentConfig } from '../config/read.ts';
import { runMirror } from './mirror.ts';

/** `hairpin agent mirror [--config FILE] [--drain-file FILE]`, until SIGTERM or SIGINT; SIGHUP reads the configuration again. */
export async function mirrorVerb(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string', default: agentPaths.config },
      'drain-file': { type: 'string', default: agentPaths.drainFile },
    },
  });
  // The journal has the time and the unit.
  const log = (text: string) => void process.stdout.write(`${text}\n`);
  let config = await readAgentConfig(values.config);
  if (config.mirror === undefined) {
    log('no mirror is configured on this node');
    return;
  }
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  process.on('SIGHUP', () => {
    readAgentConfig(values.config).then(
      (read) => {
        config = read;
        log('configuration read again');
      },
      (error: unknown) =>
        log(`${error instanceof Error ? error.message : String(error)}; the one before stays in force`),
    );
  });
  await runMirror({
    config: () => config,
    drainFile: values['drain-file'],
    prober: async () => undefined,
    log,
    signal: stop.signal,
    now: () => performance.now(),
    onListening: (port) => log(`answers on port ${port}`),
  });
}
