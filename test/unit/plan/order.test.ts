import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makePlan } from '../../../src/plan/make-plan.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import type { Step } from '../../../src/plan/step.ts';
import { type AnyCluster, anyCluster } from '../../support/any-spec.ts';
import { freshFacts, program } from '../../support/facts.ts';

function planOf({ spec, behaviour }: AnyCluster): Plan {
  return makePlan({ spec, facts: freshFacts(spec), measured: behaviour, acceptUnsafe: new Set(), program });
}

/** Every step that must have ended before this one starts, found by following `needs`. */
function allNeeds(plan: Plan): ReadonlyMap<string, ReadonlySet<string>> {
  const closures = new Map<string, Set<string>>();
  for (const step of plan.steps) {
    const closure = new Set<string>(step.needs);
    for (const need of step.needs) for (const further of closures.get(need) ?? []) closure.add(further);
    closures.set(step.id, closure);
  }
  return closures;
}

const joinsOf = (plan: Plan, role: string): readonly Step[] =>
  plan.steps.filter((step) => step.kind === 'kubeadm-join' && step.role === role);

const check = (law: (plan: Plan, cluster: AnyCluster) => void) =>
  fc.assert(
    fc.property(anyCluster, (cluster) => law(planOf(cluster), cluster)),
    { numRuns: 150 },
  );

describe('order of a plan', () => {
  test('a fresh cluster that fits has no blockers and some steps', () =>
    check((plan) => {
      expect(plan.blockers).toEqual([]);
      expect(plan.steps.length).toBeGreaterThan(0);
    }));

  test('no step comes before what it needs, and no id comes twice', () =>
    check((plan) => {
      const before = new Set<string>();
      for (const step of plan.steps) {
        expect(before.has(step.id)).toBe(false);
        for (const need of step.needs) expect([step.id, need, before.has(need)]).toEqual([step.id, need, true]);
        before.add(step.id);
      }
    }));

  test('the same facts give the same plan', () =>
    check((plan, cluster) => {
      expect(planOf(cluster)).toEqual(plan);
    }));

  test('steps of one node are a chain', () =>
    check((plan) => {
      const last = new Map<string, string>();
      for (const step of plan.steps) {
        const previous = last.get(step.node);
        expect([step.id, previous === undefined || step.needs.includes(previous)]).toEqual([step.id, true]);
        last.set(step.node, step.id);
      }
    }));

  test('every join comes after init, masters one after the other, workers beside each other', () =>
    check((plan) => {
      const needs = allNeeds(plan);
      const init = plan.steps.find((step) => step.kind === 'kubeadm-init');
      const masters = joinsOf(plan, 'control-plane');
      const workers = joinsOf(plan, 'worker');
      for (const join of [...masters, ...workers]) expect(needs.get(join.id)?.has(init?.id ?? '')).toBe(true);
      for (const [i, join] of masters.entries()) {
        for (const earlier of masters.slice(0, i)) expect(needs.get(join.id)?.has(earlier.id)).toBe(true);
      }
      for (const join of workers) {
        for (const other of workers) expect(needs.get(join.id)?.has(other.id) ?? false).toBe(false);
      }
    }));

  test('followers and workers are prepared while the leader initialises: the program comes when the leader is ready for it', () =>
    check((plan) => {
      const needs = allNeeds(plan);
      for (const step of plan.steps.filter((s) => s.phase === 'prepare' || s.phase === 'configure')) {
        const elsewhere = step.needs.filter((id) => !id.startsWith(`${step.node}/`) && id !== 'm1/kubeadm-ca');
        if (step.kind !== 'install-program') expect([step.id, elsewhere]).toEqual([step.id, []]);
        for (const id of needs.get(step.id) ?? []) {
          expect([step.id, id]).not.toEqual([step.id, 'm1/kubeadm-init']);
        }
        const before = step.kind === 'kubeadm-ca' ? plan.steps.slice(0, plan.steps.indexOf(step)) : [];
        const own = before.filter((s) => s.node === step.node && s.phase === 'configure');
        expect(own.filter((s) => s.kind !== 'write-file')).toEqual([]);
      }
    }));

  test('a follower never gets the endpoint on itself before it has joined (the trap of the article)', () =>
    check((plan) => {
      const needs = allNeeds(plan);
      for (const step of plan.steps) {
        const bindsHere =
          (step.kind === 'unit' && step.unit === 'hairpin-vip.service') ||
          (step.kind === 'hosts-block' && step.lines.some((line) => line.startsWith('127.') || line.startsWith('::1')));
        const isFollower = plan.nodes.controlPlane.slice(1).includes(step.node);
        const isTooEarly = bindsHere && isFollower && needs.get(step.id)?.has(`${step.node}/kubeadm-join`) !== true;
        expect([step.id, isTooEarly]).toEqual([step.id, false]);
      }
    }));

  test('no unit is started twice without a file of its own that changed in between', () =>
    check((plan) => {
      const started = new Set<string>();
      for (const step of plan.steps) {
        if (step.kind === 'write-file') for (const key of started) if (key.startsWith(step.node)) started.delete(key);
        if (step.kind !== 'unit' || !step.actions.includes('restart')) continue;
        expect([step.id, started.has(`${step.node} ${step.unit}`)]).toEqual([step.id, false]);
        started.add(`${step.node} ${step.unit}`);
      }
    }));

  test('the join token is deleted at the end, after every join', () =>
    check((plan) => {
      const needs = allNeeds(plan);
      const deletion = plan.steps.find((step) => step.kind === 'delete-credentials');
      for (const join of [...joinsOf(plan, 'control-plane'), ...joinsOf(plan, 'worker')]) {
        expect(needs.get(deletion?.id ?? '')?.has(join.id)).toBe(true);
      }
    }));

  test('no argument of any command and no file holds a secret or a hole for one', () =>
    check((plan) => {
      for (const step of plan.steps) {
        const open = step.kind === 'write-file' ? [step.content] : 'argv' in step ? step.argv : [];
        for (const text of open) expect(text).not.toMatch(/@@hairpin|[a-z0-9]{6}\.[a-z0-9]{16}\b/);
      }
    }));

  test('what is already there takes no time: the estimate is at least the longest node and at most everything', () =>
    check((plan) => {
      const perNode = Map.groupBy(plan.steps, (step) => step.node);
      const sum = (steps: readonly Step[]) => steps.reduce((total, step) => total + step.estimateMs, 0);
      expect(plan.estimateMs).toBeGreaterThanOrEqual(Math.max(...[...perNode.values()].map(sum)));
      expect(plan.estimateMs).toBeLessThanOrEqual(sum(plan.steps));
    }));
});
