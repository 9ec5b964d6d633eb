import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundleOf } from './apply/flow/bundle.ts';
import { measureBalancer, measuredBehaviour } from './apply/flow/measured.ts';
import { type ClusterSession, gatherClusterFacts } from './apply/flow/session.ts';
import type { HairpinBehaviour } from './balancer/behaviour.ts';
import { OperatorError } from './errors/operator-error.ts';
import type { ClusterFacts } from './facts/types.ts';
import { makePlan } from './plan/make-plan.ts';
import { type NodeFile, nodeFiles } from './plan/node-files.ts';
import type { Plan } from './plan/plan.ts';
import type { Emit } from './report/event.ts';
import type { Spec, StrategyName } from './spec/spec.ts';
import { defaultOptions } from './strategy/choose.ts';
import type { UnsafeChoice } from './strategy/strategy.ts';

/**
 * Looks at the nodes and plans, as `up` does. `measure` asks the balancer too, unless that is known already: it puts
 * listeners and counters on the nodes for some seconds, which expire by themselves. Nothing else is changed.
 */
export async function planCluster(
  session: ClusterSession,
  opts: {
    readonly emit: Emit;
    readonly signal: AbortSignal;
    readonly acceptUnsafe?: ReadonlySet<UnsafeChoice>;
    readonly measure: boolean;
  },
): Promise<Plan> {
  const facts = await gatherClusterFacts(session, opts);
  const { spec } = session;
  const acceptUnsafe = opts.acceptUnsafe ?? new Set();
  const bundle = await bundleOf(session);
  const unmeasured = makePlan({ spec, facts, measured: undefined, acceptUnsafe, bundle, program: session.program.id });
  if (unmeasured.blockers.length > 0) return unmeasured;
  const measured = await (opts.measure ? measureBalancer : measuredBehaviour)(session, facts, opts);
  return makePlan({ spec, facts, measured, acceptUnsafe, bundle, program: session.program.id });
}

export interface RenderedNode {
  readonly node: string;
  readonly files: readonly NodeFile[];
}

/**
 * The files of one node, or of all, as `up` would write them on bare nodes: no node is looked at, so an interface that
 * the spec does not name is taken to be eth0. Throws when the plan has blockers.
 */
export function renderCluster(
  spec: Spec,
  opts: {
    readonly node?: string | undefined;
    /** Instead of the one in the spec, with the options it has when nobody wrote any. */
    readonly strategy?: StrategyName | undefined;
    readonly behaviour?: HairpinBehaviour | undefined;
    readonly acceptUnsafe?: ReadonlySet<UnsafeChoice>;
    /** Names hairpin's own program (`programId`). */
    readonly program: string;
  },
): { readonly plan: Plan; readonly nodes: readonly RenderedNode[] } {
  const { node, strategy } = opts;
  if (node !== undefined && !spec.nodes.some((candidate) => candidate.name === node)) {
    throw new OperatorError('USAGE', `There is no node ${node} in ${spec.name}`, {
      hint: `its nodes are ${spec.nodes.map((candidate) => candidate.name).join(', ')}`,
    });
  }
  const nobodyLooked: ClusterFacts = { at: '', ms: 0, nodes: [], duplicates: [] };
  const acceptUnsafe = opts.acceptUnsafe ?? new Set();
  const wanted = strategy === undefined ? spec : { ...spec, strategy: defaultOptions(strategy, spec) };
  const plan = makePlan({
    spec: wanted,
    facts: nobodyLooked,
    measured: opts.behaviour,
    acceptUnsafe,
    program: opts.program,
  });
  const [blocker] = plan.blockers;
  if (blocker !== undefined) {
    const hint = blocker.hint === undefined ? {} : { hint: blocker.hint };
    throw new OperatorError('PREFLIGHT_FAILED', blocker.problem, hint);
  }
  const names = node === undefined ? spec.nodes.map((candidate) => candidate.name) : [node];
  return { plan, nodes: names.map((name) => ({ node: name, files: nodeFiles(spec, plan, name) })) };
}

/** Writes files below `directory`: `/etc/hosts` goes to `DIRECTORY/etc/hosts`. Gives the paths written. */
export async function writeNodeFiles(directory: string, files: readonly NodeFile[]): Promise<readonly string[]> {
  const written: string[] = [];
  for (const file of files) {
    const path = join(directory, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.content, { mode: file.mode });
    written.push(path);
  }
  return written;
}
