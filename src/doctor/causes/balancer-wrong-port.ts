import type { Cause, Sighting } from '../cause.ts';
import { endpointServesNobody, endpointText, listensOn, membersOf } from './help.ts';

export const balancerWrongPort: Cause = {
  id: 'balancer-wrong-port',
  title: 'the balancer checks, or forwards to, a port where nothing listens',
  needs: ['facts', 'dials', 'look'],
  why: 'to the balancer every master is dead, so nobody gets an answer at {endpoint}, while the apiservers are well',
  explanation: `A balancer sends nothing to a backend whose check fails. When its check (or the listener's backend port) names a port on
which nothing listens, each check is refused by the master's kernel: the control plane is healthy and nobody reaches it.
Seen from a master: connections from a stranger to a closed port, again and again.`,
  run: "set the balancer's backend port and its check's port to what the masters listen on; compare spec.balancer.backendPort: hairpin probe",
  produced: 'scenario',
  signs: [],
  judge(live) {
    if (live.spec.balancer === undefined || !endpointServesNobody(live)) return [];
    const { backendPort } = live.spec.balancer;
    const nodes = new Set(live.nodes.flatMap(({ spec }) => spec.addresses.map(({ text }) => text)));
    return membersOf(live).flatMap((node): Sighting[] => {
      const strangers = (node.look?.refusedHere ?? []).filter(
        ({ from, port }) => !nodes.has(from) && listensOn(node, port) === false,
      );
      const [stranger] = strangers;
      if (stranger !== undefined) {
        const saw = `${stranger.from} knocks at port ${stranger.port}, where nothing listens; ${endpointText(live)} answers nobody`;
        return [{ node: node.spec.name, confidence: 'certain', saw }];
      }
      if (listensOn(node, backendPort) !== false) return [];
      const saw = `nothing listens on ${backendPort}, which the spec says the balancer forwards to`;
      return [{ node: node.spec.name, confidence: 'likely', saw }];
    });
  },
};
