import { OperatorError } from '../../errors/operator-error.ts';
import { processesOf, signalAll } from '../faults/processes.ts';
import { startStandin } from '../standin/start.ts';
import { startStore } from '../store/start.ts';
import type { MachineSpace } from '../topology/topology.ts';
import { namespaceExec } from './namespace-exec.ts';
import type { LabContext, MachineState, Tier } from './tier.ts';

/**
 * Machines are network namespaces; each master runs a small TLS stand-in for the apiserver. Comes up in about a second,
 * and is the real thing for everything that happens in the network.
 */
export const wireTier: Tier = {
  faults: [],

  async start(cx) {
    const masters = cx.topology.machines.filter(({ machine }) => machine.role === 'control-plane');
    await startStore(cx);
    await Promise.all(masters.map(({ machine }) => startStandin(cx, machine.name)));
  },

  async startMachine(cx, name) {
    const { machine } = find(cx, name);
    if (machine.role === 'control-plane') await startStandin(cx, name);
  },

  // There is no difference for a namespace: nothing in it could say goodbye.
  async stopMachine(cx, name) {
    await signalAll(await processesOf(cx, find(cx, name)), 'SIGKILL');
  },

  execArgv: (cx, name, argv) => namespaceExec(cx, name, find(cx, name).netns, argv),

  async state(cx, name): Promise<MachineState> {
    const space = find(cx, name);
    if (space.machine.role !== 'control-plane') return 'running';
    return (await standinOf(cx, space)).length > 0 ? 'running' : 'off';
  },

  holdDown: {
    async down(cx, name, process) {
      const found = (await processesOf(cx, find(cx, name))).filter(({ names }) => names.includes(process));
      if (found.length === 0) {
        throw new OperatorError('LAB_NAME_UNKNOWN', `No process \`${process}\` runs on ${name}`, {
          hint: 'in the wire tier a master runs kube-apiserver (its stand-in) and what was started with `lab exec`',
        });
      }
      await signalAll(found, 'SIGKILL');
      return {};
    },
    async up(cx, name, process) {
      // It may run: whoever was killed before the kill has left the record and the process.
      if (process === 'kube-apiserver' && (await standinOf(cx, find(cx, name))).length === 0)
        await startStandin(cx, name);
    },
  },
};

function find(cx: LabContext, name: string): MachineSpace {
  const found = cx.topology.machines.find(({ machine }) => machine.name === name);
  if (found !== undefined) return found;
  throw new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${cx.topology.spec.name}\` has no machine \`${name}\``, {
    hint: `it has ${cx.topology.machines.map(({ machine }) => machine.name).join(', ')}`,
  });
}

async function standinOf(cx: LabContext, space: MachineSpace): Promise<readonly unknown[]> {
  return (await processesOf(cx, space)).filter(({ names }) => names.includes('kube-apiserver'));
}
