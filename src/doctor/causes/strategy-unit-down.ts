import type { Cause } from '../cause.ts';
import { each, isMember, known } from './help.ts';

export const strategyUnitDown: Cause = {
  id: 'strategy-unit-down',
  title: 'what keeps the endpoint reachable on a master does not run',
  needs: ['facts'],
  why: 'the unit that the strategy rests on is stopped on {nodes}, so its connections to {endpoint} go to the balancer again',
  explanation: `Each strategy has a unit of its own: hairpin-agent or hairpin-steer, hairpin-bind-vip, hairpin-haproxy, hairpin-keepalived. When
it is stopped or failed, the node is as if it had no strategy; where the balancer hairpins, it works.`,
  run: 'systemctl status "hairpin-*"; hairpin up    (on {nodes}: starts what is stopped)',
  produced: 'recorded',
  signs: [],
  judge: (live) =>
    each(live.nodes, 'likely', (node) => {
      const units = Object.entries(known(node.facts?.units) ?? {}).filter(
        ([name, unit]) => name.startsWith('hairpin-') && unit.enabled === 'enabled' && unit.active !== 'active',
      );
      if (!isMember(node) || units.length === 0) return undefined;
      return units.map(([name, unit]) => `${name} is ${unit.active}`).join(', ');
    }),
};
