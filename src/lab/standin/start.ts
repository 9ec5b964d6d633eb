import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untilControl } from '../control/client.ts';
import { daemonEnv } from '../control/launch.ts';
import { ensurePki } from '../pki/pki.ts';
import { storeSocket } from '../store/start.ts';
import type { LabContext } from '../tier/tier.ts';
import { type StandinConfig, standinSocket } from './control.ts';

const main = fileURLToPath(new URL('./standin.main.ts', import.meta.url));

/** Starts the stand-in of a master; resolves with its pid when it accepts connections. May be called again after it was stopped. */
export async function startStandin(cx: LabContext, machineName: string): Promise<number> {
  const space = cx.topology.machines.find((m) => m.machine.name === machineName);
  if (space === undefined) throw new RangeError(`The lab has no machine ${machineName}`);
  const pki = await ensurePki(cx.topology, cx.paths);
  const dir = cx.paths.node(machineName);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const config: StandinConfig = {
    machine: machineName,
    port: cx.topology.spec.apiServerPort,
    members: cx.topology.machines
      .filter(({ machine }) => machine.role === 'control-plane')
      .flatMap(({ machine }) => machine.addresses[0]?.text ?? []),
    ...pki.server(machineName),
    socket: standinSocket(cx.paths, machineName),
    store: storeSocket(cx.paths),
  };
  const file = join(dir, 'standin.json');
  await writeFile(file, `${JSON.stringify(config)}\n`, { mode: 0o600 });
  const pid = await cx.daemon(`standin-${machineName}`, [process.execPath, main, file], {
    netns: space.netns,
    env: daemonEnv(),
  });
  await untilControl(
    config.socket,
    { op: 'status' },
    {
      what: `The stand-in of ${machineName}`,
      pid,
      log: join(cx.paths.logs, `standin-${machineName}.log`),
      timeout: 15_000,
      signal: cx.signal,
    },
  );
  return pid;
}
