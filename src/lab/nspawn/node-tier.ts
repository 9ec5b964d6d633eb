import { OperatorError } from '../../errors/operator-error.ts';
import { ensureArtefacts } from '../artefacts/artefacts.ts';
import { cgroupMembers } from '../cgroup/cgroup.ts';
import { ensureBase } from '../image/base.ts';
import type { LabContext, MachineState, Tier } from '../tier/tier.ts';
import type { MachineSpace } from '../topology/topology.ts';
import { bootMachine, findKeeper, isReady } from './boot.ts';
import { warnAboutControllers } from './controllers.ts';
import { enterNode } from './enter.ts';
import { nodeFaults } from './faults.ts';
import { haltMachine } from './halt.ts';
import { ensureImageStore } from './image-store.ts';
import { requireInotify } from './inotify.ts';
import { ensureNodeLayer } from './layer.ts';
import { machineCgroups } from './machine-dirs.ts';
import { findPid1 } from './pid1.ts';
import { seedMachine } from './seed.ts';
import { nodesOf } from './ssh-files.ts';
import { ensureSsh } from './ssh-keys.ts';

/**
 * Real nodes: each a systemd-nspawn container with systemd, sshd, containerd, kubelet and kubeadm in it, in the network
 * namespace that the drawing gives it. Nothing here knows about balancers, and nothing outside of this folder knows
 * how a node is run. All mounts are in mount namespaces of the nodes; all processes are in the lab's cgroups.
 */
export const nodeTier: Tier = {
  faults: nodeFaults,

  async start(cx) {
    const [lower, store] = await makeShared(cx);
    await requireInotify(cx);
    await warnAboutControllers(cx);
    await ensureSsh(cx);
    const nodes = nodesOf(cx.topology);
    await Promise.all(
      nodes.map(async (space) => {
        await seedMachine(cx, space, store);
        await bootMachine(cx, space, lower, 'fresh');
      }),
    );
  },

  async startMachine(cx, machine) {
    if ((await this.state(cx, machine)) !== 'off') return;
    const [lower] = await makeShared(cx);
    await bootMachine(cx, spaceOf(cx, machine), lower, 'used');
  },

  async stopMachine(cx, machine, how) {
    await haltMachine(cx, spaceOf(cx, machine), how);
  },

  execArgv(cx, machine, argv) {
    const cgroups = machineCgroups(cx, machine);
    const pid1 = findPid1(cgroups);
    if (pid1 === undefined) {
      throw new OperatorError('LAB_NODE_DOWN', `Node ${machine} is off`, {
        hint: `start it again: hairpin lab break power-off ${machine} && hairpin lab heal power-off ${machine}`,
      });
    }
    return enterNode(cgroups, pid1, argv);
  },

  async state(cx, machine): Promise<MachineState> {
    if (await isReady(cx, machine)) return 'running';
    if ((await findKeeper(cx, machine)) !== undefined) return 'starting';
    return (await cgroupMembers(machineCgroups(cx, machine))).size === 0 ? 'off' : 'failed';
  },
};

/** What all labs of one version share: gives the overlay's lower directories and the store of images, unless it is bare. */
async function makeShared(cx: LabContext): Promise<readonly [lower: string, store: string | undefined]> {
  const opts = { emit: cx.emit, signal: cx.signal };
  const base = await ensureBase(opts);
  const artefacts = await ensureArtefacts(cx.topology.spec.kubernetes, opts);
  const bare = cx.topology.spec.bare === true;
  const layer = await ensureNodeLayer(base.rootfs, artefacts, { ...opts, bare });
  const store = bare ? undefined : await ensureImageStore(artefacts, opts);
  return [`${layer}:${base.rootfs}`, store];
}

function spaceOf(cx: LabContext, machine: string): MachineSpace {
  const space = nodesOf(cx.topology).find((candidate) => candidate.machine.name === machine);
  if (space !== undefined) return space;
  throw new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${cx.topology.spec.name}\` has no node \`${machine}\``, {
    hint: `it has ${nodesOf(cx.topology)
      .map(({ machine: { name } }) => name)
      .join(', ')}`,
  });
}
