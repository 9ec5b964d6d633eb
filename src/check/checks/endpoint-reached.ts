import type { SpecNode } from '../../spec/spec.ts';
import { formatHostPort } from '../../std/address.ts';
import { connections, type From } from '../ask/connect.ts';
import { askOnce, type Verdict } from '../ask/question.ts';
import { type Check, type CheckContext, isNoPod, portOf } from '../check.ts';

/** One client class of one node. */
export interface Reached {
  readonly node: string;
  readonly from: From;
  readonly verdict: Verdict;
  /** The plan says that these connections go through a balancer that drops a part of them; the strategy's known gap. */
  readonly knownGap: boolean;
}

export const endpointReached: Check = {
  name: 'endpoint-reached',
  title: 'every try to reach the endpoint succeeds, from each node and from a pod on it',
  heavy: true,
  ask: async (cx) => {
    const all = await reachEndpoint(cx);
    const failed = all.filter(({ verdict, knownGap }) => verdict.is === 'not-ok' && !knownGap);
    const gaps = all.filter(({ verdict, knownGap }) => verdict.is === 'not-ok' && knownGap);
    const gap = gaps.length === 0 ? '' : `; known gap of this strategy: ${gaps.map(inWords).join(', ')}`;
    const counted = all.filter(({ verdict }) => verdict.is === 'ok').length;
    if (failed.length === 0) return { is: 'ok', saw: `${cx.tries} of ${cx.tries} from each of ${counted}${gap}` };
    return {
      is: 'not-ok',
      want: `${cx.tries} of ${cx.tries} from each`,
      saw: `${failed.map(inWords).join(', ')}${gap}`,
    };
  },
};

/** Counts for each node and for a pod on it; nodes without pods of their own network are skipped there. */
export async function reachEndpoint(cx: CheckContext): Promise<readonly Reached[]> {
  const reach = async (node: SpecNode, from: From): Promise<Reached> => {
    const verdict = await reachFrom(cx, node, from);
    return { node: node.name, from, verdict, knownGap: from === 'pod' && goesThroughDroppingBalancer(cx, node) };
  };
  const all = await Promise.all(
    cx.spec.nodes.map(async (node) => [await reach(node, 'node'), await reach(node, 'pod')]),
  );
  return all.flat();
}

async function reachFrom(cx: CheckContext, node: SpecNode, from: From): Promise<Verdict> {
  const { endpoint } = cx.spec;
  const address = endpoint.addresses[0] ?? resolved(cx, node);
  if (from === 'pod' && endpoint.kind === 'domain' && address === undefined) {
    return { is: 'skip', reason: 'what the name resolves to outside /etc/hosts is not known' };
  }
  const resolveTo =
    from === 'pod' && endpoint.kind === 'domain' && address !== undefined
      ? { resolveTo: { host: endpoint.host, port: endpoint.port, address: address.text } }
      : {};
  const url = `https://${formatHostPort(endpoint.host, endpoint.port)}/version`;
  try {
    const question = connections(url, { from, tries: cx.tries, ...resolveTo });
    const verdict = await askOnce(portOf(cx, node), question, { signal: cx.signal, timeoutMs: 120_000 });
    if (verdict.is === 'not-ok' && isNoPod(verdict.saw)) return { is: 'skip', reason: verdict.saw };
    return verdict;
  } catch (error) {
    if (cx.signal.aborted) throw error;
    const saw = error instanceof Error ? error.message : String(error);
    return { is: 'not-ok', want: `${cx.tries} of ${cx.tries}`, saw };
  }
}

function resolved(cx: CheckContext, node: SpecNode) {
  const report = cx.facts.nodes.find((candidate) => candidate.node === node.name);
  const lookup = report?.is === 'seen' ? report.facts.endpointLookup : undefined;
  if (lookup?.is !== 'known') return undefined;
  return lookup.value.find((entry) => !entry.fromHosts)?.addresses[0];
}

/** Pods do not read /etc/hosts of their node: with `hosts` they dial the balancer, as if there were no strategy. */
function goesThroughDroppingBalancer(cx: CheckContext, node: SpecNode): boolean {
  const { name, behaviour } = cx.plan.strategy;
  return name === 'hosts' && behaviour !== 'works' && node.role === 'control-plane';
}

function inWords({ node, from, verdict }: Reached): string {
  const saw = verdict.is === 'not-ok' ? verdict.saw : verdict.is;
  return `${from === 'pod' ? `a pod on ${node}` : node} ${saw}`;
}
