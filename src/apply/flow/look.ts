import { type CheckResult, runChecks } from '../../check/check.ts';
import { checks } from '../../check/checks/index.ts';
import { type ClusterStatus, clusterStatus } from '../../check/status.ts';
import { readOnly } from '../../node/read-only.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { type Emit, task } from '../../report/event.ts';
import { measuredBehaviour } from './measured.ts';
import { type ClusterSession, gatherClusterFacts } from './session.ts';

interface LookOptions {
  readonly session: ClusterSession;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly now?: () => Date;
}

/** Where the cluster stands. Looks only: one round of facts, no connection is tried. */
export async function readStatus(opts: LookOptions): Promise<ClusterStatus> {
  const { spec, facts, plan, now } = await look(opts);
  return clusterStatus(spec, facts, plan, now);
}

/** Every check with its verdict. `only` picks some by name. */
export async function checkCluster(
  opts: LookOptions & { readonly tries: number; readonly only?: readonly string[] | undefined },
): Promise<readonly CheckResult[]> {
  const { only, tries, emit, signal } = opts;
  const { spec, nodes, facts, plan, now } = await look(opts);
  const chosen = only === undefined ? checks : checks.filter((check) => only.includes(check.name));
  let done = 0;
  return task(
    emit,
    'checks',
    'checks',
    (progress) =>
      runChecks(chosen, { spec, nodes, facts, plan, tries, now, signal }, (result) => {
        done += 1;
        progress(result.title, done, chosen.length);
      }),
    (results) => `${results.filter(({ verdict }) => verdict.is !== 'not-ok').length} of ${results.length} ok`,
  );
}

export const checkNames: readonly string[] = checks.map((check) => check.name);

async function look({ session, emit, signal, now = () => new Date() }: LookOptions) {
  const nodes = new Map([...session.nodes].map(([name, node]) => [name, readOnly(node)]));
  const looked = { ...session, nodes };
  const facts = await gatherClusterFacts(looked, { emit, signal });
  const measured = await measuredBehaviour(looked, facts, { emit, signal });
  const plan = makePlan({ spec: session.spec, facts, measured, acceptUnsafe: new Set(), program: session.program.id });
  return { spec: session.spec, nodes, facts, plan, now: now() };
}
