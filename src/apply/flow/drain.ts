import { setTimeout as sleep } from 'node:timers/promises';
import { clusterAgents } from '../../cluster-agents.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import type { ClusterFacts } from '../../facts/types.ts';
import { makeDrainPlan } from '../../plan/drain.ts';
import type { Plan } from '../../plan/plan.ts';
import { agentPaths } from '../../render/agent/paths.ts';
import { type Emit, task } from '../../report/event.ts';
import { controlPlaneNodes } from '../../spec/spec.ts';
import { applyPlan } from '../engine.ts';
import { FileJournal, journalPath } from '../journal.ts';
import { agentNodes, type Disagreement, disagreements } from './agreement.ts';
import { measuredBehaviour } from './measured.ts';
import { beginRun, lockAll } from './run.ts';
import { type ClusterSession, gatherClusterFacts, localReader } from './session.ts';

export interface DrainOptions {
  readonly session: ClusterSession;
  readonly node: string;
  readonly to: 'drained' | 'in-service';
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly now?: () => Date;
}

export interface DrainResult {
  readonly node: string;
  readonly to: 'drained' | 'in-service';
  /** False: it was so already. */
  readonly changed: boolean;
  /** Nodes whose agents were told. */
  readonly told: readonly string[];
  /** Masters that take new connections now, as far as files say. */
  readonly inService: readonly string[];
  /** Nodes that could not be reached, so that nobody knows what their agents do. */
  readonly unsure: readonly string[];
}

/** An agent reads its configuration at once and looks for the drain file each second. */
const agreeWithinMs = 15_000;
const againMs = 1000;

/** Drains a master, or gives it back. Refuses to drain the last one that is ready. */
export async function drainNode(opts: DrainOptions): Promise<DrainResult> {
  const { session, node, to, now = () => new Date() } = opts;
  const { spec } = session;
  const masters = controlPlaneNodes(spec).map(({ name }) => name);
  if (!masters.includes(node)) {
    throw new OperatorError(
      'USAGE',
      `${node} is no master of ${spec.name}: only masters get connections to the endpoint`,
      {
        hint: `its masters are ${masters.join(', ')}; kubectl drain moves pods`,
      },
    );
  }
  const run = beginRun(to === 'drained' ? 'node drain' : 'node undrain', opts.emit, now());
  await using locked = await lockAll(session.nodes, run, opts.signal);
  const { emit } = run;
  const { signal } = locked;
  const facts = await gatherClusterFacts(session, { emit, signal });
  const measured = await measuredBehaviour(session, facts, { emit, signal });
  const input = { spec, facts, measured, acceptUnsafe: new Set<never>(), program: session.program.id };
  const plan = makeDrainPlan(input, node, to);
  refuse(plan, facts, opts);
  const inService = masters.filter((name) => (name === node ? to === 'in-service' : !isDrained(facts, name)));
  const unsure = facts.nodes.flatMap((report) => (report.is === 'unreachable' ? [report.node] : []));
  const asked = agentNodes(spec).filter((name) => !unsure.includes(name));
  const changed = plan.steps.length > 0;
  if (changed) {
    const path = journalPath(session.directory, spec.name, run.id);
    using journal = new FileJournal({ path, run: run.id, secrets: run.secrets, now });
    const { nodes, program } = session;
    const { secrets } = run;
    await applyPlan(plan, { spec, nodes, program, secrets, journal, emit, signal, readLocal: localReader(), run, now });
  }
  await untilAgreed(opts, asked, { emit, signal });
  const told = plan.steps.filter(({ kind }) => kind === 'unit').map((step) => step.node);
  return { node, to, changed, told: [...new Set(told)], inService, unsure };
}

/** Who drains a master is about to take it away: files that nobody has read yet are not enough. */
async function untilAgreed(
  { session, node, to }: DrainOptions,
  asked: readonly string[],
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<void> {
  const until = performance.now() + agreeWithinMs;
  const left = await task(emit, 'agents', 'agents agree', async (progress): Promise<readonly Disagreement[]> => {
    for (;;) {
      const found = disagreements(await clusterAgents(session, { signal, nodes: asked }), asked, node, to);
      if (found.length === 0 || performance.now() > until) return found;
      progress(found.map((one) => one.node).join(', '));
      await sleep(againMs, undefined, { signal });
    }
  });
  if (left.length === 0) return;
  const is = to === 'drained' ? 'is drained' : 'is in service';
  throw new OperatorError(
    'DRAIN_DISAGREED',
    `${node} ${is} by the files of all nodes, but not by every agent: ${left.map((one) => `${one.node}: ${one.why}`).join('; ')}`,
    {
      hint: `on ${left[0]?.node}: systemctl status hairpin-agent hairpin-steerer; then this command again`,
    },
  );
}

function refuse(plan: Plan, facts: ClusterFacts, { node, to, session }: DrainOptions): void {
  if (plan.strategy.name !== 'steer') {
    throw new OperatorError('USAGE', `Strategy ${plan.strategy.name} has no agent that could be told`, {
      hint: 'take the master out at the balancer, or use strategy steer',
    });
  }
  const seen = facts.nodes.find((report) => report.node === node);
  if (seen?.is === 'unreachable') {
    throw new OperatorError('NODE_UNREACHABLE', `${node} cannot be told: ${seen.reason}`, {
      hint: seen.hint ?? 'agents see by themselves that an apiserver does not answer',
    });
  }
  if (to === 'in-service') return;
  const others = controlPlaneNodes(session.spec).filter(({ name }) => name !== node);
  const ready = others.filter(({ name }) => isReady(facts, name) && !isDrained(facts, name));
  if (ready.length > 0) return;
  throw new OperatorError('DRAIN_LAST', `No other master is ready and in service: ${node} must not be drained`, {
    hint: 'hairpin status shows the others',
  });
}

function isReady(facts: ClusterFacts, name: string): boolean {
  const report = facts.nodes.find((candidate) => candidate.node === name);
  return report?.is === 'seen' && report.facts.api.is === 'known' && report.facts.api.value.ready;
}

function isDrained(facts: ClusterFacts, name: string): boolean {
  const report = facts.nodes.find((candidate) => candidate.node === name);
  return (
    report?.is === 'seen' &&
    report.facts.files.is === 'known' &&
    report.facts.files.value[agentPaths.drainFile] !== undefined
  );
}
