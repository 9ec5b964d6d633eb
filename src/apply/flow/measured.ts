import type { HairpinBehaviour } from '../../balancer/behaviour.ts';
import type { ProblemCode } from '../../balancer/probe/classify.ts';
import { probeCluster } from '../../cluster-probe.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import type { ClusterFacts } from '../../facts/types.ts';
import type { Emit } from '../../report/event.ts';
import { controlPlaneNodes } from '../../spec/spec.ts';
import { nodePaths } from '../on-node.ts';
import type { ClusterSession } from './session.ts';

const measuredPath = `${nodePaths.state}/measured`;
const behaviours: readonly HairpinBehaviour[] = ['works', 'drop', 'local', 'one-arm'];

/**
 * What the balancer was once measured to do with a backend that dials it, when the spec leaves that to measuring. Kept on
 * the masters: after a strategy is in place, its own effect would be measured and not the balancer.
 */
export async function measuredBehaviour(
  session: ClusterSession,
  facts: ClusterFacts,
  opts: { emit: Emit; signal: AbortSignal },
): Promise<HairpinBehaviour | undefined> {
  const { spec, nodes } = session;
  if (spec.balancer?.hairpin !== 'auto') return undefined;
  const seen = new Set(facts.nodes.flatMap((report) => (report.is === 'seen' ? [report.node] : [])));
  for (const { name } of controlPlaneNodes(spec)) {
    if (!seen.has(name)) continue;
    const kept = (await nodes.get(name)?.readFile(measuredPath, { signal: opts.signal }))?.trim();
    const behaviour = behaviours.find((candidate) => candidate === kept);
    if (behaviour !== undefined) return behaviour;
  }
  return undefined;
}

// What no strategy can do anything about: clients outside reach nothing either.
const fatal: ReadonlySet<ProblemCode> = new Set([
  'NAME_DIFFERS',
  'NAME_DOES_NOT_RESOLVE',
  'NAME_IS_THE_NODE',
  'NO_ANSWER',
  'NO_HEALTHY_BACKEND',
  'NO_ROUTE',
  'NODES_BLOCKED',
  'NOT_TLS',
  'TLS_TERMINATED',
  'WRONG_BACKEND_PORT',
]);

/**
 * Measures, unless it was declared or measured before, or hairpin has changed these nodes already. Throws
 * `PREFLIGHT_FAILED` when the balancer cannot carry a cluster at all; what cannot be determined is a warning.
 */
export async function measureBalancer(
  session: ClusterSession,
  facts: ClusterFacts,
  opts: { emit: Emit; signal: AbortSignal },
): Promise<HairpinBehaviour | undefined> {
  const kept = await measuredBehaviour(session, facts, opts);
  if (kept !== undefined || session.spec.balancer?.hairpin !== 'auto' || hasOurs(facts)) return kept;
  const { verdict } = await probeCluster(session, opts);
  const worst = verdict.problems.filter(({ code }) => fatal.has(code));
  if (worst.length > 0 && verdict.behaviour === undefined) {
    const n = worst.length;
    throw new OperatorError(
      'PREFLIGHT_FAILED',
      `The balancer of ${session.spec.name} does not carry connections: ${n} problem${n === 1 ? '' : 's'}. Nothing was changed`,
      {
        cause: worst
          .map(({ code, text, hint }) => `${text}   ${code}${hint === undefined ? '' : `\n    ${hint}`}`)
          .join('\n'),
        hint: 'hairpin probe shows what each node saw; balancer.hairpin in cluster.yaml says what the balancer does, without measuring',
      },
    );
  }
  for (const { text, code } of verdict.problems) opts.emit({ kind: 'warning', text: `${text}   ${code}` });
  return verdict.behaviour;
}

function hasOurs(facts: ClusterFacts): boolean {
  return facts.nodes.some(
    (report) =>
      report.is === 'seen' &&
      report.facts.ours.is === 'known' &&
      Object.keys(report.facts.ours.value.written).length > 0,
  );
}

export async function rememberMeasured(session: ClusterSession, behaviour: HairpinBehaviour): Promise<void> {
  const script = 'mkdir -p -m 755 -- "$(dirname -- "$1")" && echo "$2" >"$1"';
  const argv = ['sh', '-c', script, 'hairpin-measured', measuredPath, behaviour];
  const masters = controlPlaneNodes(session.spec).flatMap(({ name }) => session.nodes.get(name) ?? []);
  await Promise.all(masters.map((node) => node.change(argv)));
}
