import type { HairpinBehaviour } from '../../balancer/behaviour.ts';
import type { ClusterFacts } from '../../facts/types.ts';
import type { Emit } from '../../report/event.ts';
import { controlPlaneNodes } from '../../spec/spec.ts';
import { nodePaths } from '../on-node.ts';
import type { ClusterSession } from './session.ts';

const measuredPath = `${nodePaths.state}/measured`;
const behaviours: readonly HairpinBehaviour[] = ['works', 'drop', 'local', 'one-arm'];

/**
 * What the balancer does with a backend that dials it, when the spec leaves that to measuring. What was measured once is
 * kept on the masters: after a strategy is in place, its own effect would be measured and not the balancer.
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

export async function rememberMeasured(session: ClusterSession, behaviour: HairpinBehaviour): Promise<void> {
  const script = 'mkdir -p -m 755 -- "$(dirname -- "$1")" && echo "$2" >"$1"';
  const argv = ['sh', '-c', script, 'hairpin-measured', measuredPath, behaviour];
  await Promise.all(controlPlaneNodes(session.spec).map(({ name }) => session.nodes.get(name)?.change(argv)));
}
