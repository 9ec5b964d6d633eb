import { parseArgs } from 'node:util';
import { checkoutRoot, programId } from '../../program/identity.ts';
import { agentPaths } from '../config/paths.ts';
import { runProber } from './run.ts';

/**
 * `hairpin agent run [--config FILE] [--steerer-socket PATH] [--status-socket PATH] [--state DIR] [--drain-file FILE]`, until
 * SIGTERM or SIGINT; SIGHUP reads the configuration again.
 */
export async function proberVerb(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string', default: agentPaths.config },
      'steerer-socket': { type: 'string', default: agentPaths.steererSocket },
      'status-socket': { type: 'string', default: agentPaths.statusSocket },
      state: { type: 'string', default: agentPaths.state },
      'drain-file': { type: 'string', default: agentPaths.drainFile },
    },
  });
  await runProber({
    configFile: values.config,
    steererSocket: values['steerer-socket'],
    statusSocket: values['status-socket'],
    state: values.state,
    drainFile: values['drain-file'],
    // Hashing a checkout would take longer than all the rest of the start.
    program: checkoutRoot === undefined ? await programId() : 'checkout',
  });
}
