import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TrafficChannel } from '../../drill/traffic/channel.ts';
import { cgroupMembers } from '../cgroup/cgroup.ts';
import { machineCgroups } from '../nspawn/machine-dirs.ts';
import type { LabContext } from '../tier/tier.ts';

/**
 * The traffic of a node of the lab, ahead of everything that it measures as soon as it runs: late timestamps would be
 * taken for outages. A node cannot do that by itself, since real-time scheduling is not to be had inside a cgroup v1 `cpu`
 * group without a share of it; so the process is taken out of the node's, and out of no other: a power cut ends it too.
 */
export function aheadOf(cx: LabContext, machine: string, client: string, channel: TrafficChannel): TrafficChannel {
  return {
    ...channel,
    async run(config, io) {
      let promoted = false;
      return await channel.run(config, {
        ...io,
        onLine: (line) => {
          if (!promoted) void promote(cx, machine, client);
          promoted = true;
          io.onLine(line);
        },
      });
    },
  };
}

/** Never throws: what could not be done shows in the lateness that the traffic reports. */
async function promote(cx: LabContext, machine: string, client: string): Promise<void> {
  const cgroups = machineCgroups(cx, machine);
  const said = `"client":"${client}"`;
  for (const pid of await cgroupMembers(cgroups)) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words[2] !== 'traffic' || words[3]?.includes(said) !== true) continue;
    for (const dir of cx.cgroups) {
      if (!/\/cpu(?:,cpuacct)?\//.test(dir)) continue;
      await writeFile(join(dirname(dirname(dir)), 'cgroup.procs'), String(pid)).catch(() => undefined);
    }
    await cx.run(['chrt', '--all-tasks', '--rr', '--pid', '1', String(pid)]).catch(() => undefined);
  }
}
