import { expect, test } from 'vitest';
import { makeDrainPlan } from '../../../src/plan/drain.ts';
import { makePlan } from '../../../src/plan/make-plan.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { makeSpec } from '../../support/any-spec.ts';
import { program } from '../../support/facts.ts';
import { Simulation } from '../../support/simulate.ts';

const spec = makeSpec({
  masters: 3,
  workers: 1,
  ip: 4,
  version: 'v1.37.2',
  bundle: false,
  cni: 'bridge',
  strategy: { name: 'steer', workers: true },
});

function upAndRunning(): { simulation: Simulation; input: () => Parameters<typeof makePlan>[0] } {
  const simulation = new Simulation(spec);
  const input = () => ({
    spec,
    facts: simulation.facts(),
    measured: 'drop' as const,
    acceptUnsafe: new Set<never>(),
    program,
  });
  simulation.run(makePlan(input()).steps);
  return { simulation, input };
}

const told = (plan: Plan) => plan.steps.map((step) => step.id.replace(/^(\w+)\/.*?([\w.-]+)$/, '$1 $2'));

test('draining writes the file first, tells every agent, and touches nothing else', () => {
  const { input } = upAndRunning();
  const plan = makeDrainPlan(input(), 'm2', 'drained');
  expect(told(plan)).toEqual([
    'm2 drain',
    ...['m1', 'm2', 'm3', 'w1'].flatMap((node) => [
      `${node} agent.json`,
      `${node} reload-hairpin-steerer.service`,
      `${node} reload-hairpin-agent.service`,
    ]),
  ]);
  const configs = plan.steps.flatMap((step) =>
    step.kind === 'write-file' && step.path === '/etc/hairpin/agent.json' ? [JSON.parse(step.content)] : [],
  );
  expect(configs.map(({ draining }) => draining)).toEqual([['m2'], ['m2'], ['m2'], ['m2']]);
});

test('a drained master stays drained for up, draining twice changes nothing, and undrain is the way back', () => {
  const { simulation, input } = upAndRunning();
  const before = simulation.state();
  simulation.run(makeDrainPlan(input(), 'm2', 'drained').steps);
  expect(makePlan(input()).steps.filter((step) => step.kind !== 'hold')).toEqual([]);
  expect(makeDrainPlan(input(), 'm2', 'drained').steps).toEqual([]);
  simulation.run(makeDrainPlan(input(), 'm2', 'in-service').steps);
  expect(simulation.state()).toBe(before);
});

test('another version restarts what it has to, one master after the other, and reloads nothing', () => {
  const { input } = upAndRunning();
  const plan = makePlan({ ...input(), program: 'fedcba9876543210' });
  const first = plan.steps.filter((step) => step.node === 'm1' && step.phase === 'adopt');
  expect(first.map((step) => (step.kind === 'unit' ? `${step.actions.join(' ')} ${step.unit}` : step.kind))).toEqual([
    'install-program',
    'write-file',
    'enable restart hairpin-steerer.service',
    'enable restart hairpin-agent.service',
    'enable restart hairpin-mirror.socket',
    'hold',
  ]);
  const next = plan.steps.find((step) => step.node === 'm2' && step.phase === 'adopt');
  expect(next?.needs).toContain(first.at(-1)?.id);
});

test('a hairpin of another version than the agents tells them all the same, and replaces nothing', () => {
  const { input } = upAndRunning();
  const other = makeDrainPlan({ ...input(), program: 'fedcba9876543210' }, 'm2', 'drained');
  expect(told(other)).toEqual(told(makeDrainPlan(input(), 'm2', 'drained')));
});

test('an agent whose unit could not be looked at is told as well', () => {
  const { input } = upAndRunning();
  const { facts, ...others } = input();
  const unseen = { is: 'unknown', reason: 'it took too long' } as const;
  const nodes = facts.nodes.map((report) =>
    report.is === 'seen' && report.node === 'm3' ? { ...report, facts: { ...report.facts, units: unseen } } : report,
  );
  const plan = makeDrainPlan({ ...others, facts: { ...facts, nodes } }, 'm2', 'drained');
  expect(told(plan)).toEqual(told(makeDrainPlan(input(), 'm2', 'drained')));
});
