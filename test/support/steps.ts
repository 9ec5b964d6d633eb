import type { Plan } from '../../src/plan/plan.ts';
import type { Step, StepId } from '../../src/plan/step.ts';

/** A step that only has to be ordered: `run` of `true` on node `m1` unless the id says another (`m2/…`). */
export function runStep(id: StepId, needs: readonly StepId[] = [], estimateMs = 100): Step {
  return {
    kind: 'run',
    id,
    node: id.includes('/') ? (id.split('/')[0] ?? 'm1') : 'm1',
    phase: 'prepare',
    because: 'the test wants it',
    needs,
    estimateMs,
    undo: { is: 'nothing', because: 'it changes nothing' },
    argv: ['true', id],
    stdin: undefined,
    timeoutMs: 1000,
    okExitCodes: [0],
  };
}

export function planOf(steps: readonly Step[]): Plan {
  const masters = [...new Set(steps.map((step) => step.node))];
  return {
    cluster: 'test',
    kubernetes: 'v1.37.2',
    nodes: { controlPlane: masters, workers: [] },
    endpoint: { host: '172.16.105.26', port: 6443 },
    strategy: {
      name: 'direct',
      because: 'asked for',
      behaviour: undefined,
      behaviourFrom: 'unknown',
      doesNotSurvive: 'nothing',
    },
    steps,
    blockers: [],
    warnings: [],
    effectiveEndpoints: [],
    balancer: undefined,
    estimateMs: 0,
  };
}
