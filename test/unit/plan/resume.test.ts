import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makePlan } from '../../../src/plan/make-plan.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { type AnyCluster, anyCluster, makeSpec } from '../../support/any-spec.ts';
import { program } from '../../support/facts.ts';
import { Simulation } from '../../support/simulate.ts';

function planFor({ spec, behaviour }: AnyCluster, simulation: Simulation): Plan {
  return makePlan({ spec, facts: simulation.facts(), measured: behaviour, acceptUnsafe: new Set(), program });
}

function undisturbed(cluster: AnyCluster): Simulation {
  const simulation = new Simulation(cluster.spec);
  simulation.run(planFor(cluster, simulation).steps);
  return simulation;
}

describe('resume is re-plan', () => {
  test('a second plan on a finished cluster is empty', () =>
    fc.assert(
      fc.property(anyCluster, (cluster) => {
        const simulation = undisturbed(cluster);
        expect(planFor(cluster, simulation).steps.map((step) => step.id)).toEqual([]);
      }),
      { numRuns: 100 },
    ));

  test('runs that are killed anywhere, again and again, end in the state of an undisturbed run', () =>
    fc.assert(
      fc.property(anyCluster, fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 4 }), (cluster, kills) => {
        const simulation = new Simulation(cluster.spec);
        for (const [at, inTheMiddle] of kills) {
          const { steps } = planFor(cluster, simulation);
          if (steps.length === 0) break;
          const index = at % steps.length;
          simulation.run(steps.slice(0, index));
          const step = steps[index];
          if (inTheMiddle && step !== undefined) simulation.cut(step);
        }
        simulation.run(planFor(cluster, simulation).steps);
        expect(planFor(cluster, simulation).steps.map((step) => step.id)).toEqual([]);
        expect(simulation.state()).toEqual(undisturbed(cluster).state());
      }),
      { numRuns: 200 },
    ));

  const cluster: AnyCluster = {
    behaviour: 'drop',
    spec: makeSpec({
      masters: 3,
      workers: 1,
      ip: 4,
      version: 'v1.37.2',
      bundle: false,
      cni: 'manifest',
      strategy: { name: 'steer', workers: false },
    }),
  };

  function killedAt(id: string): Plan {
    const simulation = new Simulation(cluster.spec);
    const { steps } = planFor(cluster, simulation);
    const index = steps.findIndex((step) => step.id === id);
    simulation.run(steps.slice(0, index));
    const step = steps[index];
    if (step === undefined) throw new Error(`no step ${id}`);
    simulation.cut(step);
    return planFor(cluster, simulation);
  }

  test('a half-made leader is reset and made anew, and the plan says what is lost', () => {
    const plan = killedAt('m1/kubeadm-init');
    expect(plan.warnings.filter((w) => w.is === 'loss')).toEqual([
      {
        is: 'loss',
        code: 'HALF_MADE_NODE',
        node: 'm1',
        text: 'm1 was left half-made (simulated); it is reset, which loses the etcd data of m1, and with it everything that was in that cluster',
      },
    ]);
    const ids = plan.steps.map((step) => step.id);
    expect(ids.slice(0, 1)).toEqual(['m1/kubeadm-reset']);
    expect(ids).toContain('m1/kubeadm-init');
  });

  test('a half-joined master: etcd forgets its learner first, then it is reset, then it joins with new credentials', () => {
    const ids = killedAt('m2/kubeadm-join').steps.map((step) => step.id);
    expect(ids.filter((id) => /etcd-member|reset|credentials|kubeadm/.test(id))).toEqual([
      expect.stringMatching(/^m1\/remove-etcd-member-[0-9a-f]{16}$/),
      'm2/kubeadm-reset',
      'm1/join-credentials',
      'm2/kubeadm-join',
      'm3/kubeadm-join',
      'w1/kubeadm-join',
      'm1/delete-credentials',
    ]);
  });

  test('an adopted cluster gets what the strategy wants and nothing else', () => {
    const adopted = undisturbed({
      ...cluster,
      spec: { ...cluster.spec, strategy: { name: 'direct' } },
      behaviour: 'works',
    });
    const plan = planFor(cluster, adopted);
    expect([...new Set(plan.steps.map((step) => step.phase))]).toEqual(['adopt', 'verify']);
    expect([...new Set(plan.steps.map((step) => step.kind))]).toEqual([
      'run',
      'install-program',
      'write-file',
      'unit',
      'hold',
    ]);
  });
});
