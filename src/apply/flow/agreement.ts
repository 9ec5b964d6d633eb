import type { NodeAgent } from '../../cluster-agents.ts';
import type { Spec } from '../../spec/spec.ts';

/** What an agent that was asked says against a drain, or its end, that is in its files. */
export interface Disagreement {
  readonly node: string;
  /** `silent`: it did not say anything, so nobody knows. */
  readonly is: 'silent' | 'other';
  readonly why: string;
}

/** Nodes that have an agent by this spec. */
export function agentNodes(spec: Spec): readonly string[] {
  const { strategy } = spec;
  const workers = strategy.name === 'steer' && strategy.workers;
  return spec.nodes.flatMap(({ name, role }) => (role === 'control-plane' || workers ? [name] : []));
}

/** Those whose agent does not treat `master` as drained, or as in service, yet. Empty: all agree. Pure. */
export function disagreements(
  agents: readonly NodeAgent[],
  asked: readonly string[],
  master: string,
  to: 'drained' | 'in-service',
): readonly Disagreement[] {
  return agents
    .filter(({ node }) => asked.includes(node))
    .flatMap((agent): readonly Disagreement[] => {
      const { node } = agent;
      if (agent.is === 'silent') return [{ node, is: 'silent', why: agent.why }];
      const { backends, config, inForce } = agent.status;
      const refused = config.problems[0];
      if (refused !== undefined) return [{ node, is: 'other', why: `it refuses ${config.path}: ${refused}` }];
      const backend = backends.find(({ name }) => name === master);
      if (backend === undefined) return [];
      // An agent of an earlier version says it by the state alone.
      const drained = (backend.drained as boolean | undefined) ?? backend.state === 'draining';
      if (drained !== (to === 'drained')) {
        const has = drained ? 'drained' : 'in service';
        return [{ node, is: 'other', why: `it still has ${master} ${has} (${backend.state})` }];
      }
      const still = to === 'drained' && inForce?.backends.includes(master) === true;
      return still ? [{ node, is: 'other', why: `new connections still go to ${master}` }] : [];
    });
}
