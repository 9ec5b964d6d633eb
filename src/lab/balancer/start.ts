import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '../../errors/operator-error.ts';
import { untilControl } from '../control/client.ts';
import { daemonEnv } from '../control/launch.ts';
import { ensurePki } from '../pki/pki.ts';
import type { LabContext } from '../tier/tier.ts';
import { balancerdConfig } from './config.ts';

const main = fileURLToPath(new URL('./balancerd.main.ts', import.meta.url));

/**
 * Starts the lab's balancer in its namespace; resolves when it balances and answers on its socket. The network must be
 * there, the backends need not be.
 */
export async function startBalancer(cx: LabContext): Promise<void> {
  const config = balancerdConfig(cx.topology, cx.paths);
  await mkdir(config.dir, { recursive: true, mode: 0o700 });
  if (config.balancer.terminateTls) await ensurePki(cx.topology, cx.paths);
  const file = join(dirname(config.socket), 'balancer.json');
  await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  const source = config.balancer.probeSource;
  const own = config.own.find((a) => typeof source === 'object' && a.family === source.family);
  if (config.network === 'segment' && typeof source === 'object' && own !== undefined) {
    // On a segment the backends answer a foreign probe address by way of their router, which has to know whose it is.
    const family = source.family === 4 ? '-4' : '-6';
    const route = ['route', 'replace', source.text, 'via', own.text];
    const argv = ['ip', '-n', cx.topology.fabric.netns, family, ...route];
    const added = await cx.run(argv, { signal: cx.signal });
    if (added.exitCode !== 0) {
      throw new OperatorError('TOOL_FAILED', `Cannot route ${source.text} to the balancer`, {
        cause: added.stderr.trim(),
      });
    }
  }
  const pid = await cx.daemon('balancer', [process.execPath, main, file], {
    netns: cx.topology.balancer.netns,
    env: daemonEnv(),
  });
  await untilControl(
    config.socket,
    { op: 'ping' },
    { what: 'The balancer', pid, log: join(cx.paths.logs, 'balancer.log'), timeout: 15_000, signal: cx.signal },
  );
}
