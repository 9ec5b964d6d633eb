import { bypassesOf } from '../strategy/bypass.ts';
import type { PlanContext } from './context.ts';
import type { PlanWarning } from './plan.ts';
import { known } from './view.ts';

/** Who passes by the steering tables that this plan makes; one warning for each reason, with the nodes that have it. */
export function bypassWarnings({ spec, view, strategy }: PlanContext): readonly PlanWarning[] {
  const { options } = strategy.context;
  if (options.name !== 'steer') return [];
  const steered = spec.nodes.filter(({ role }) => role === 'control-plane' || options.workers);
  const found = steered.flatMap(({ name }) => {
    const { facts } = view.node(name);
    const datapath = known(facts?.datapath);
    const bypasses = bypassesOf({
      links: known(facts?.interfaces) ?? [],
      plugins: datapath?.cni.flatMap(({ plugins }) => plugins) ?? [],
      kubeProxy: datapath?.kubeProxy,
    });
    return bypasses.map((bypass) => ({ name, ...bypass }));
  });
  return [...Map.groupBy(found, ({ what, who, why }) => `${what} (${who}): ${why}`)].map(([text, nodes]) => ({
    is: 'warning',
    code: 'STEER_BYPASSED',
    node: undefined,
    text: `connections that the agent may not steer on ${nodes.map(({ name }) => name).join(', ')}: ${text}`,
  }));
}
