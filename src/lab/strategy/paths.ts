import { join } from 'node:path';
import { stateDir } from '../paths.ts';
import type { LabContext } from '../tier/tier.ts';

/** Where a machine of the wire tier keeps what a strategy put there; nothing of it is outside the lab's directory. */
export function strategyPaths(paths: Pick<LabContext['paths'], 'node'>, machine: string) {
  const root = join(paths.node(machine), 'strategy');
  return {
    root,
    /** Rendered files under their paths. */
    tree: join(root, 'tree'),
    run: join(root, 'run'),
    state: join(root, 'state'),
    /** /etc/hosts as it was before: what pods that started earlier have. */
    hostsBefore: join(root, 'hosts.before'),
  };
}

/** The executable of this version, unpacked once for all labs. */
export function programDirectory(id: string): string {
  return join(stateDir(), 'program', id);
}

export function machineNetns(cx: Pick<LabContext, 'topology'>, machine: string): string {
  const found = cx.topology.machines.find((space) => space.machine.name === machine);
  if (found === undefined) throw new RangeError(`The lab has no machine ${machine}`);
  return found.netns;
}
