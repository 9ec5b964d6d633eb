import type { HairpinBehaviour } from '../../balancer/behaviour.ts';
import { apiserverReady } from '../../check/ask/holds.ts';
import { waitUntil } from '../../check/ask/wait.ts';
import { type CheckContext, type CheckResult, runChecks } from '../../check/check.ts';
import { checks as allChecks } from '../../check/checks/index.ts';
import { runChecksOnceSettled, settlePauseMs } from '../../check/settle.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import type { ClusterFacts } from '../../facts/types.ts';
import { readOnly } from '../../node/read-only.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { isEmpty, type Plan, planDigest } from '../../plan/plan.ts';
import { type Emit, task } from '../../report/event.ts';
import { formatHostPort } from '../../std/address.ts';
import type { UnsafeChoice } from '../../strategy/strategy.ts';
import { applyPlan } from '../engine.ts';
import { FileJournal, journalPath } from '../journal.ts';
import { bundleOf, verifyPlannedBundle } from './bundle.ts';
import { measureBalancer, rememberMeasured } from './measured.ts';
import { packPlannedProgram } from './program.ts';
import { beginRun, lockAll } from './run.ts';
import { type ClusterSession, gatherClusterFacts, localReader } from './session.ts';

export interface UpOptions {
  readonly session: ClusterSession;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly acceptUnsafe?: ReadonlySet<UnsafeChoice>;
  /** Shows the plan and gives the answer. Not called when there is nothing to do. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
  /** Connections a client class, for the checks at the end. */
  readonly tries?: number;
  readonly now?: () => Date;
}

export interface UpResult {
  readonly plan: Plan;
  /** False: there was nothing to do. */
  readonly changed: boolean;
  readonly checks: readonly CheckResult[];
  readonly journal: string | undefined;
  readonly ms: number;
}

// After this long with a question open, the nodes are looked at again before anything is done.
const answerIsStaleAfterMs = 10_000;

/**
 * Brings a cluster to what cluster.yaml says: lock, look, measure, plan, ask, carry out, check. May be killed anywhere;
 * the next call finishes.
 */
export async function bringUp(opts: UpOptions): Promise<UpResult> {
  const { session, now = () => new Date() } = opts;
  const start = performance.now();
  const run = beginRun('up', opts.emit, now());
  const { emit } = run;
  try {
    await using locked = await lockAll(session.nodes, run, opts.signal);
    const { signal } = locked;
    const acceptUnsafe = opts.acceptUnsafe ?? new Set();
    const bundle = await bundleOf(session);
    const program = session.program.id;
    const look = async (): Promise<ClusterFacts> => gatherClusterFacts(session, { emit, signal });
    const facts = await settled(session, look, { emit, signal });
    // What is wrong with the nodes is said before anything is measured: measuring takes time, and all of the nodes.
    const unmeasured = makePlan({ spec: session.spec, facts, measured: undefined, acceptUnsafe, bundle, program });
    refuseBlocked(unmeasured);
    await verifyPlannedBundle(session, unmeasured, emit);
    const measured = await measureBalancer(session, facts, { emit, signal });
    const plan = makePlan({ spec: session.spec, facts, measured, acceptUnsafe, bundle, program });
    refuseBlocked(plan);
    if (isEmpty(plan)) {
      const checks = await finalChecks({ ...opts, facts, measured, changed: false, emit, signal });
      return { plan, changed: false, checks, journal: undefined, ms: performance.now() - start };
    }
    const asked = performance.now();
    if (!(await opts.confirm(plan))) {
      throw new OperatorError('NOT_CONFIRMED', 'Nothing was changed: the plan was not confirmed');
    }
    if (performance.now() - asked > answerIsStaleAfterMs) {
      refuseChanged(
        plan,
        makePlan({ spec: session.spec, facts: await look(), measured, acceptUnsafe, bundle, program }),
      );
    }
    await packPlannedProgram(session, plan, facts, { emit, signal });
    const path = journalPath(session.directory, session.spec.name, run.id);
    {
      using journal = new FileJournal({ path, run: run.id, secrets: run.secrets, now });
      if (measured !== undefined) await rememberMeasured(session, measured);
      await applyPlan(plan, {
        spec: session.spec,
        nodes: session.nodes,
        secrets: run.secrets,
        journal,
        emit,
        signal,
        readLocal: localReader(),
        program: session.program,
        run,
        now,
      });
    }
    const checks = await finalChecks({ ...opts, facts: await look(), measured, changed: true, emit, signal });
    return { plan, changed: true, checks, journal: path, ms: performance.now() - start };
  } catch (error) {
    throw run.secrets.redactError(error);
  }
}

// Longer than a kubelet needs to start its static pods (10 s on an idle machine of two cores).
const settleMs = 60_000;

/**
 * Facts of nodes that have come to rest. Where a run was killed in the middle of an init or a join, or machines have just
 * been switched on, masters that are complete on disk start their apiserver now: what it says is part of the facts.
 */
async function settled(
  session: ClusterSession,
  look: () => Promise<ClusterFacts>,
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<ClusterFacts> {
  const facts = await look();
  const silent = facts.nodes.filter(
    (report) =>
      report.is === 'seen' &&
      report.facts.kubeadm.is === 'known' &&
      report.facts.kubeadm.value.phase === 'control-plane' &&
      report.facts.api.is === 'unknown',
  );
  if (silent.length === 0) return facts;
  const names = silent.map((report) => report.node).join(', ');
  await task(emit, 'settle', `wait for the apiserver of ${names}`, (progress) =>
    Promise.all(
      silent.map(async (report) => {
        const node = session.spec.nodes.find((candidate) => candidate.name === report.node);
        const port = session.nodes.get(report.node);
        if (node === undefined || port === undefined) return;
        const question = apiserverReady(formatHostPort(node.address, session.spec.apiServerPort));
        const opts = { deadlineMs: settleMs, signal, onSeen: (saw: string) => progress(`${node.name}: ${saw}`) };
        // A master whose apiserver stays down is planned for as it is.
        await waitUntil(port, question, opts).catch((error: unknown) => {
          if (!(error instanceof OperatorError && error.code === 'HOLD_TIMEOUT')) throw error;
        });
      }),
    ),
  );
  return look();
}

/** What keeps the plan from being carried out, all of it at once, before anything was changed. */
export function refuseBlocked(plan: Plan): void {
  if (plan.blockers.length === 0) return;
  const n = plan.blockers.length;
  throw new OperatorError(
    'PREFLIGHT_FAILED',
    `${plan.cluster} cannot be brought up: ${n} problem${n === 1 ? '' : 's'}. Nothing was changed`,
    {
      cause: plan.blockers
        .map(({ code, problem, hint }) => `${problem}   ${code}${hint === undefined ? '' : `\n    ${hint}`}`)
        .join('\n'),
    },
  );
}

/** Promise 2: the plan that was shown is the plan that is applied, or the run stops and says what changed. */
export function refuseChanged(shown: Plan, current: Plan): void {
  if (planDigest(shown) === planDigest(current)) return;
  const before = new Map(shown.steps.map((step) => [step.id, JSON.stringify(step)]));
  const after = new Map(current.steps.map((step) => [step.id, JSON.stringify(step)]));
  const lines = [
    ...[...before.keys()].filter((id) => !after.has(id)).map((id) => `${id} is not needed any more`),
    ...[...after.keys()].filter((id) => !before.has(id)).map((id) => `${id} is needed as well`),
    ...[...after].filter(([id, text]) => before.has(id) && before.get(id) !== text).map(([id]) => `${id} differs`),
  ];
  throw new OperatorError('PLAN_CHANGED', 'The nodes changed after the plan was shown. Nothing was done', {
    cause: lines.join('\n'),
    hint: 'look at the new plan: run the same command again',
  });
}

async function finalChecks(opts: {
  readonly session: ClusterSession;
  readonly facts: ClusterFacts;
  readonly measured: HairpinBehaviour | undefined;
  /** Something has just been started. */
  readonly changed: boolean;
  readonly acceptUnsafe?: ReadonlySet<UnsafeChoice>;
  readonly tries?: number;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly now?: () => Date;
}): Promise<readonly CheckResult[]> {
  const { session, facts, measured, emit, signal, now = () => new Date() } = opts;
  const { spec } = session;
  const acceptUnsafe = opts.acceptUnsafe ?? new Set();
  const plan = makePlan({ spec, facts, measured, acceptUnsafe, program: session.program.id });
  const nodes = new Map([...session.nodes].map(([name, node]) => [name, readOnly(node)]));
  const cx: CheckContext = { spec, nodes, facts, plan, tries: opts.tries ?? 30, now: now(), signal };
  return task(
    emit,
    'checks',
    'checks',
    (progress) => {
      let done = 0;
      const onResult = (result: CheckResult) => {
        done += 1;
        progress(result.title, done, allChecks.length);
      };
      return opts.changed
        ? runChecksOnceSettled(allChecks, cx, { pauseMs: settlePauseMs(spec), onResult })
        : runChecks(allChecks, cx, onResult);
    },
    (results) => `${results.filter(({ verdict }) => verdict.is !== 'not-ok').length} of ${results.length} ok`,
  );
}
