import { describe, expect, test } from 'vitest';
import type { Datapath, NodeFacts } from '../../../src/facts/types.ts';
import { makePlan } from '../../../src/plan/make-plan.ts';
import type { StrategySpec } from '../../../src/spec/spec.ts';
import { makeSpec } from '../../support/any-spec.ts';
import { clusterFacts, freshNode, known, program, seen } from '../../support/facts.ts';

const cilium: Datapath = { cni: [{ path: '05-cilium.conflist', plugins: ['cilium-cni'] }], kubeProxy: undefined };
const onMastersAndWorker: Readonly<Record<string, Partial<NodeFacts>>> = {
  m1: { datapath: known(cilium) },
  m2: { datapath: known({ ...cilium, kubeProxy: 'ipvs' }) },
  w1: { datapath: known(cilium) },
};

function warnings(strategy: StrategySpec, own: Readonly<Record<string, Partial<NodeFacts>>>): readonly string[] {
  const spec = makeSpec({ masters: 3, workers: 1, ip: 4, version: 'v1.37.2', bundle: false, cni: 'none', strategy });
  const facts = clusterFacts(
    spec.nodes.map((node) => seen(node.name, { ...freshNode(spec, node), ...own[node.name] })),
  );
  return makePlan({ spec, facts, measured: undefined, acceptUnsafe: new Set(), program })
    .warnings.filter(({ code }) => code === 'STEER_BYPASSED')
    .map(({ text }) => text);
}

const why = 'Cilium (pods): with eBPF host routing its pods’ packets do not pass netfilter on the host';

describe('a plan of strategy steer', () => {
  test('says whose connections may pass by, each reason once with its nodes', () => {
    expect(warnings({ name: 'steer', workers: false }, onMastersAndWorker)).toEqual([
      `connections that the agent may not steer on m1, m2: ${why}`,
      'connections that the agent may not steer on m2: kube-proxy in IPVS mode (pods with a Service address of the endpoint): an address that a Service has too is taken by IPVS; the steerer refuses such an endpoint',
    ]);
  });

  test('counts workers where they are steered', () => {
    expect(warnings({ name: 'steer', workers: true }, onMastersAndWorker)[0]).toBe(
      `connections that the agent may not steer on m1, m2, w1: ${why}`,
    );
  });

  test('says nothing of nodes where nothing was seen', () => {
    expect(warnings({ name: 'steer', workers: true }, {})).toEqual([]);
  });

  test('and another strategy says nothing', () => {
    expect(warnings({ name: 'direct' }, onMastersAndWorker)).toEqual([]);
  });
});
