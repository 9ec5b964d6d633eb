import type { Check, CheckContext, CheckResult } from '../../check/check.ts';
import { runChecks } from '../../check/check.ts';
import { certificates } from '../../check/checks/certificates.ts';
import { kubeProxySynced } from '../../check/checks/kube-proxy-synced.ts';
import type { ClusterFacts } from '../../facts/types.ts';
import type { NodePort } from '../../node/port.ts';
import { makePlan } from '../../plan/make-plan.ts';
import type { Spec } from '../../spec/spec.ts';
import { formatDuration } from '../../std/duration.ts';
import type { Live, LogEntry } from '../evidence.ts';
import { type Collected, collectNode } from './collect.ts';
import { checksFromFacts } from './from-facts.ts';
import { hurried } from './hurry.ts';

export interface Gathered {
  readonly live: Live;
  readonly logs: readonly LogEntry[];
  readonly collected: readonly Collected[];
  readonly ms: number;
}

interface GatherOptions {
  readonly spec: Spec;
  readonly nodes: ReadonlyMap<string, NodePort>;
  /** Facts of these (already hurried) nodes. */
  readonly facts: (nodes: ReadonlyMap<string, NodePort>) => Promise<ClusterFacts>;
  readonly signal: AbortSignal;
  readonly now: Date;
  /** Names hairpin's own program, as a plan has it. */
  readonly program: string;
  /** Milliseconds for everything; what is not there by then is missing, with its reason. */
  readonly budgetMs: number;
}

/** What facts do not answer. Asked beside everything else. */
const asking: readonly Check[] = [kubeProxySynced];

/** Facts, tries, logs and checks of all nodes at once. Looks only. */
export async function gatherLive(opts: GatherOptions): Promise<Gathered> {
  const start = performance.now();
  const deadline = start + opts.budgetMs;
  const { spec, signal, now } = opts;
  const nodes = new Map([...opts.nodes].map(([name, port]) => [name, hurried(port, deadline)]));
  const [facts, collected, checks] = await Promise.all([
    opts.facts(nodes),
    Promise.all(
      spec.nodes.map(async (node) => {
        const port = nodes.get(node.name);
        return port === undefined ? [] : [await collectNode(port, spec, node, { signal, timeoutMs: opts.budgetMs })];
      }),
    ).then((all) => all.flat()),
    askInTime({ ...opts, nodes, budgetMs: deadline - performance.now() }),
  ]);
  const fromFacts = await runChecks([certificates], contextOf({ ...opts, nodes }, facts));
  const looked: Omit<Live, 'checks'> = {
    spec,
    facts,
    now,
    nodes: spec.nodes.map((node) => {
      const report = facts.nodes.find((one) => one.node === node.name);
      const own = collected.find((one) => one.node === node.name);
      const gone = report?.is === 'unreachable' ? [report.reason] : [];
      return {
        spec: node,
        facts: report?.is === 'seen' ? report.facts : undefined,
        look: own?.look,
        // A node that cannot be reached says so once.
        missing: gone.length > 0 ? gone : (own?.missing ?? []),
        unreachable: report?.is === 'unreachable',
      };
    }),
  };
  const live = { ...looked, checks: [...checksFromFacts(looked), ...checks, ...fromFacts] };
  return { live, logs: collected.flatMap(({ logs }) => logs), collected, ms: performance.now() - start };
}

/** A check that has no answer in time is skipped, with that as its reason. */
async function askInTime(opts: GatherOptions): Promise<readonly CheckResult[]> {
  const nobodyLooked: ClusterFacts = { at: '', ms: 0, nodes: [], duplicates: [] };
  const cx = contextOf(opts, nobodyLooked);
  const { budgetMs } = opts;
  return await Promise.all(
    asking.map(async (check): Promise<CheckResult> => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<CheckResult>((resolve) => {
        timer = setTimeout(() => {
          const reason = `no answer within ${formatDuration(budgetMs)}`;
          resolve({ name: check.name, title: check.title, verdict: { is: 'skip', reason }, ms: budgetMs });
        }, budgetMs);
      });
      const asked = runChecks([check], cx).then(([result]) => {
        if (result === undefined) throw new Error(`${check.name} has no result`);
        return result;
      });
      // Whoever loses the race may still fail, which nobody is to hear of.
      asked.catch(() => undefined);
      return await Promise.race([asked, late]).finally(() => clearTimeout(timer));
    }),
  );
}

function contextOf(opts: GatherOptions, facts: ClusterFacts): CheckContext {
  const { spec, nodes, now, signal, program } = opts;
  const plan = makePlan({ spec, facts, measured: undefined, acceptUnsafe: new Set(), program });
  return { spec, nodes, facts, plan, tries: 0, now, signal };
}
