import { createHash } from 'node:crypto';
import type { ClusterFacts, FileFact } from '../facts/types.ts';
import { agentPaths, agentUnits } from '../render/agent/paths.ts';
import { type Draft, StepList } from './builder.ts';
import { makePlan, type PlanInput } from './make-plan.ts';
import type { Plan } from './plan.ts';
import { reloadUnit } from './reach.ts';
import type { Step } from './step.ts';

const content = 'This node gets no new connections; hairpin node undrain ends that.\n';
const asFile: FileFact = {
  sha256: createHash('sha256').update(content).digest('hex'),
  mode: '644',
  owner: 'root:root',
  bytes: content.length,
};

/**
 * Takes a master out of service for new connections, or gives it back: a file on the node itself (its agent and its
 * readiness mirror look for it, and it outlives a reboot), and its name in the configuration of every other agent. Nothing
 * else is touched, whatever else the nodes may lack.
 */
export function makeDrainPlan(input: PlanInput, master: string, to: 'drained' | 'in-service'): Plan {
  const drained = to === 'drained';
  const plan = makePlan({ ...input, facts: withDrainFile(input.facts, master, drained) });
  const steps = new StepList();
  const there = input.facts.nodes.some(
    (report) =>
      report.node === master &&
      report.is === 'seen' &&
      report.facts.files.is === 'known' &&
      agentPaths.drainFile in report.facts.files.value,
  );
  const path = agentPaths.drainFile;
  const because = drained
    ? `its own clients and the balancer go elsewhere, and new connections with them`
    : 'it takes new connections again';
  if (drained && !there) {
    const write = { kind: 'write-file', path, content, mode: 0o644, owner: 'root:root' } as const;
    steps.add(master, 'adopt', { ...write, slug: 'drain', because, undo: { is: 'restore-file', path } });
  }
  if (!drained && there) steps.add(master, 'adopt', { kind: 'remove-file', slug: 'undrain', path, because });
  const rewritten = new Set(plan.steps.filter(isConfig).map(({ node }) => node));
  for (const step of plan.steps) {
    const { id, node, phase, needs: _needs, ...rest } = step;
    if (isConfig(step)) {
      steps.add(node, phase, { ...rest, slug: id.slice(node.length + 1) } as Draft);
    } else if (step.kind === 'unit' && rewritten.has(node) && isTold(step) && isRunning(input.facts, node, step.unit)) {
      steps.add(node, phase, reloadUnit(step.unit));
    }
  }
  return { ...plan, steps: steps.steps, estimateMs: steps.longestMs };
}

function isConfig(step: Step): boolean {
  return step.kind === 'write-file' && step.path === agentPaths.config;
}

/**
 * Where the agent on the node is of another version than this program, its units are to be started anew, and that is not a
 * drain's business: they read their configuration again, as where nothing else is to be done.
 */
function isTold({ unit, actions }: Extract<Step, { kind: 'unit' }>): boolean {
  const reads: readonly string[] = [agentUnits.steerer, agentUnits.agent, agentUnits.mirror];
  return reads.includes(unit) && (actions.includes('reload') || actions.includes('restart'));
}

function isRunning(facts: ClusterFacts, node: string, unit: string): boolean {
  const report = facts.nodes.find((candidate) => candidate.node === node);
  // What could not be looked at is told: an agent that goes on with what it knew sends connections to a drained master.
  if (report?.is !== 'seen' || report.facts.units.is !== 'known') return true;
  return report.facts.units.value[unit]?.active === 'active';
}

function withDrainFile(facts: ClusterFacts, master: string, drained: boolean): ClusterFacts {
  return {
    ...facts,
    nodes: facts.nodes.map((report) => {
      if (report.node !== master || report.is !== 'seen') return report;
      const { [agentPaths.drainFile]: _there, ...others } =
        report.facts.files.is === 'known' ? report.facts.files.value : {};
      const files = drained ? { ...others, [agentPaths.drainFile]: asFile } : others;
      return { ...report, facts: { ...report.facts, files: { is: 'known', value: files } } };
    }),
  };
}
