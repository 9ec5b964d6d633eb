import { expect, test } from 'vitest';
import { agentNodes, disagreements } from '../../../src/apply/flow/agreement.ts';
import type { AgentStatus, NodeAgent } from '../../../src/cluster-agents.ts';
import { makeSpec } from '../../support/any-spec.ts';

type State = AgentStatus['backends'][number]['state'];

const agent = (
  node: string,
  m2: State,
  opts: { problem?: string; inForce?: readonly string[]; drained?: boolean } = {},
): NodeAgent => {
  const status = {
    config: { path: '/etc/hairpin/agent.json', sha256: '', problems: opts.problem === undefined ? [] : [opts.problem] },
    inForce: { backends: opts.inForce ?? ['m1', 'm3'], hold: true, holdWorks: true },
    backends: [
      { name: 'm1', state: 'ready' },
      { name: 'm2', state: m2, ...(opts.drained === undefined ? {} : { drained: opts.drained }) },
    ],
  } as unknown as AgentStatus;
  return { node, role: 'control-plane', is: 'answered', status };
};
const silent: NodeAgent = { node: 'w1', role: 'worker', is: 'silent', why: 'no agent is installed' };

test.each<{ name: string; to: 'drained' | 'in-service'; agents: readonly NodeAgent[]; says: readonly string[] }>([
  { name: 'all agree', to: 'drained', agents: [agent('m1', 'draining'), agent('m2', 'draining')], says: [] },
  {
    name: 'not told',
    to: 'drained',
    agents: [agent('m1', 'ready')],
    says: ['m1 other: it still has m2 in service (ready)'],
  },
  { name: 'late, drained', to: 'drained', agents: [agent('m1', 'suspect', { drained: true })], says: [] },
  {
    name: 'late, not told',
    to: 'drained',
    agents: [agent('m1', 'suspect', { drained: false })],
    says: ['m1 other: it still has m2 in service (suspect)'],
  },
  { name: 'dead, drained', to: 'drained', agents: [agent('m1', 'failed', { drained: true })], says: [] },
  {
    name: 'dead, still drained',
    to: 'in-service',
    agents: [agent('m1', 'failed', { drained: true })],
    says: ['m1 other: it still has m2 drained (failed)'],
  },
  {
    name: 'known, not done',
    to: 'drained',
    agents: [agent('m1', 'draining', { inForce: ['m2'] })],
    says: ['m1 other: new connections still go to m2'],
  },
  {
    name: 'refused',
    to: 'drained',
    agents: [agent('m1', 'draining', { problem: 'agent.json:3:1: what' })],
    says: ['m1 other: it refuses /etc/hairpin/agent.json: agent.json:3:1: what'],
  },
  { name: 'silent', to: 'drained', agents: [silent], says: ['w1 silent: no agent is installed'] },
  { name: 'back', to: 'in-service', agents: [agent('m1', 'ready'), agent('m3', 'unready')], says: [] },
  {
    name: 'not back',
    to: 'in-service',
    agents: [agent('m1', 'draining')],
    says: ['m1 other: it still has m2 drained (draining)'],
  },
])('$name, $to', ({ to, agents, says }) => {
  const asked = agents.map(({ node }) => node);
  expect(disagreements(agents, asked, 'm2', to).map(({ node, is, why }) => `${node} ${is}: ${why}`)).toEqual(says);
});

test('who is not asked does not count', () => {
  expect(disagreements([silent, agent('m1', 'ready')], [], 'm2', 'drained')).toEqual([]);
});

test('workers have an agent only where they are steered', () => {
  const of = (workers: boolean) =>
    agentNodes(
      makeSpec({
        masters: 3,
        workers: 1,
        ip: 4,
        version: 'v1.37.2',
        bundle: false,
        cni: 'bridge',
        strategy: { name: 'steer', workers },
      }),
    );
  expect([of(true), of(false)]).toEqual([
    ['m1', 'm2', 'm3', 'w1'],
    ['m1', 'm2', 'm3'],
  ]);
});
