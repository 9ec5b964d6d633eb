import { expect, test } from 'vitest';
import type { ApiState, ClusterFacts } from '../../../src/facts/types.ts';
import { makePlan } from '../../../src/plan/make-plan.ts';
import { makeSpec } from '../../support/any-spec.ts';
import { program } from '../../support/facts.ts';
import { Simulation } from '../../support/simulate.ts';

// All files of a master are on its disk, and what kubeadm does afterwards through the API was not done.
const spec = makeSpec({
  masters: 3,
  workers: 1,
  ip: 4,
  version: 'v1.37.2',
  bundle: false,
  cni: 'bridge',
  strategy: { name: 'steer', workers: false },
});

/** Steps of the plan for a finished cluster whose apiservers say something else. */
function stepsFor(change: (api: ApiState) => ApiState): readonly string[] {
  const simulation = new Simulation(spec);
  const input = { spec, measured: 'drop', acceptUnsafe: new Set<never>(), program } as const;
  simulation.run(makePlan({ ...input, facts: simulation.facts() }).steps);
  const facts: ClusterFacts = {
    ...simulation.facts(),
    nodes: simulation.facts().nodes.map((report) => {
      if (report.is !== 'seen' || report.facts.api.is !== 'known') return report;
      return { ...report, facts: { ...report.facts, api: { is: 'known', value: change(report.facts.api.value) } } };
    }),
  };
  return makePlan({ ...input, facts }).steps.map((step) => `${step.id}: ${step.because}`);
}

test('init killed before its addons: its last phases are repeated, and their token is deleted', () => {
  expect(
    stepsFor((api) => ({ ...api, workloads: api.workloads.filter(({ name }) => !name.includes('proxy')) })),
  ).toEqual([
    'm1/join-credentials: init was killed before it made kube-proxy; its last phases are repeated',
    'm1/delete-credentials: whoever has the token can add a node',
    'm1/hold-kube-proxy-synced: kube-proxy dials the endpoint; without it this node has no services',
  ]);
});

test('a join killed before it marked the node as a master: label and taint are set', () => {
  const notMarked = (api: ApiState): ApiState => ({
    ...api,
    nodes: api.nodes.map((node) => (node.name === 'm2' ? { ...node, controlPlane: false } : node)),
  });
  expect(stepsFor(notMarked).filter((step) => !step.includes('hold'))).toEqual([
    'm1/label-m2: the join of m2 was killed before it marked the node as a master',
    'm1/taint-m2: the join of m2 was killed before it marked the node as a master',
  ]);
});

test('a join token that a killed run left is deleted', () => {
  expect(stepsFor((api) => ({ ...api, joinTokens: 1 })).filter((step) => !step.includes('hold'))).toEqual([
    'm1/delete-credentials: a run was killed before it could; whoever has the token can add a node',
  ]);
});
