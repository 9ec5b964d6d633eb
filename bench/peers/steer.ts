import { startAgent } from '../../test/support/agent-machine.ts';
import type { Peer } from './peer.ts';
import { untilAnswers } from './process.ts';

/** The agent as `up` installs it, with its own users and capabilities, on the machine of the client. */
export const steer: Peer = {
  name: 'steer',
  what: 'hairpin agent on the node (worker: ready masters, spread)',
  programs: ['/usr/sbin/nft'],
  async start(lab, machine) {
    const agent = await startAgent(lab, machine);
    const host = lab.spec.endpoint.addresses[0]?.text ?? '';
    const { port } = lab.spec.endpoint;
    await untilAnswers(lab, machine, `https://${host}:${port}/readyz`);
    return { host, port, [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose]() };
  },
};

/** The same on a master: its own apiserver first. */
export const steerMaster: Peer = {
  ...steer,
  name: 'steer-master',
  what: 'hairpin agent on the master that is broken (self first)',
};

/** And on a master that another one is lost to. */
export const steerNeighbour: Peer = {
  ...steer,
  name: 'steer-neighbour',
  what: 'hairpin agent on another master than the one that is lost (self first)',
};
