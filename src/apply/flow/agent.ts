import { OperatorError } from '../../errors/operator-error.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { isEmpty, type Plan } from '../../plan/plan.ts';
import { agentPaths, agentUnits } from '../../render/agent/paths.ts';
import { unitPath } from '../../render/systemd/unit.ts';
import type { Emit } from '../../report/event.ts';
import { applyPlan } from '../engine.ts';
import { FileJournal, journalPath } from '../journal.ts';
import type { NodeRecord } from '../on-node.ts';
import { measureBalancer } from './measured.ts';
import { packPlannedProgram } from './program.ts';
import { beginRun, lockAll } from './run.ts';
import { type ClusterSession, gatherClusterFacts, localReader } from './session.ts';
import { refuseBlocked } from './up.ts';

export interface InstallAgentOptions {
  /** Opened with strategy `steer`. */
  readonly session: ClusterSession;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Shows the plan and gives the answer. Not called when there is nothing to do. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
  readonly now?: () => Date;
}

export interface InstallAgentResult {
  readonly plan: Plan;
  readonly changed: boolean;
  /** Nodes of the spec that are not in the cluster; they were left alone. */
  readonly notMembers: readonly string[];
  readonly journal: string | undefined;
}

/**
 * Puts the agent on the nodes of a cluster that exists, whoever made it, and does nothing else: no init, no join, no
 * kubeadm. One master after the other, then the workers that are steered.
 */
export async function installAgent(opts: InstallAgentOptions): Promise<InstallAgentResult> {
  const { session, now = () => new Date() } = opts;
  const { spec, program } = session;
  const run = beginRun('agent install', opts.emit, now());
  const { emit } = run;
  await using locked = await lockAll(session.nodes, run, opts.signal);
  const { signal } = locked;
  const facts = await gatherClusterFacts(session, { emit, signal });
  const members = new Set(
    facts.nodes.flatMap((report) => {
      const phase = report.is === 'seen' && report.facts.kubeadm.is === 'known' ? report.facts.kubeadm.value.phase : '';
      return phase === 'control-plane' || phase === 'worker' ? [report.node] : [];
    }),
  );
  if (members.size === 0) {
    throw new OperatorError('NO_CLUSTER', `No node of ${spec.name} is in a cluster yet`, {
      hint: 'hairpin up makes one',
    });
  }
  const input = { spec, facts, acceptUnsafe: new Set<never>(), program: program.id };
  refuseBlocked(onlyAgent(makePlan({ ...input, measured: undefined }), members));
  const measured = await measureBalancer(session, facts, { emit, signal });
  const plan = onlyAgent(makePlan({ ...input, measured }), members);
  refuseBlocked(plan);
  const notMembers = spec.nodes.map(({ name }) => name).filter((name) => !members.has(name));
  if (isEmpty(plan)) return { plan, changed: false, notMembers, journal: undefined };
  if (!(await opts.confirm(plan))) {
    throw new OperatorError('NOT_CONFIRMED', 'Nothing was changed: the plan was not confirmed');
  }
  await packPlannedProgram(session, plan, facts, { emit, signal });
  const path = journalPath(session.directory, spec.name, run.id);
  using journal = new FileJournal({ path, run: run.id, secrets: run.secrets, now });
  const { nodes } = session;
  const { secrets } = run;
  await applyPlan(plan, { spec, nodes, program, secrets, journal, emit, signal, readLocal: localReader(), run, now });
  return { plan, changed: true, notMembers, journal: path };
}

function onlyAgent(plan: Plan, members: ReadonlySet<string>): Plan {
  const steps = plan.steps.filter(({ phase, node }) => phase === 'adopt' && members.has(node));
  const ids = new Set(steps.map(({ id }) => id));
  return {
    ...plan,
    steps: steps.map((step) => ({ ...step, needs: step.needs.filter((id) => ids.has(id)) })),
    blockers: plan.blockers.filter(({ node }) => node === undefined || members.has(node)),
  };
}

const units: readonly string[] = Object.values(agentUnits);
const files = new Set<string>([...Object.values(agentPaths), ...units.map(unitPath)]);

/** Whether a line of a node's journal is about the agent and nothing else: what `agent uninstall` takes back. */
export function isOfAgent({ kind, step, undo }: NodeRecord): boolean {
  if (kind === 'install-program' || kind === 'deliver-ca') return true;
  if (kind === 'unit') return units.some((unit) => step.includes(`unit-${unit}`) || step.includes(`reload-${unit}`));
  if (kind === 'run') return undo.is === 'run' && undo.argv.includes('hairpin-user');
  return undo.is === 'restore-file' && files.has(undo.path);
}
