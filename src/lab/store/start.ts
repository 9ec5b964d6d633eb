import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untilControl } from '../control/client.ts';
import { daemonEnv } from '../control/launch.ts';
import type { LabContext } from '../tier/tier.ts';

const main = fileURLToPath(new URL('./store.main.ts', import.meta.url));

export function storeSocket(paths: Pick<LabContext['paths'], 'root'>): string {
  return join(paths.root, 'store.sock');
}

/** Starts the lab's store; resolves when it answers. It is in no machine's network: no fault but `lab down` reaches it. */
export async function startStore(cx: LabContext): Promise<void> {
  const socket = storeSocket(cx.paths);
  const pid = await cx.daemon('store', [process.execPath, main, socket], { env: daemonEnv() });
  await untilControl(
    socket,
    { op: 'get', name: '' },
    { what: 'The store', pid, log: join(cx.paths.logs, 'store.log'), timeout: 15_000, signal: cx.signal },
  );
}
