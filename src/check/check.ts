import type { ClusterFacts } from '../facts/types.ts';
import type { NodePort } from '../node/port.ts';
import type { Plan } from '../plan/plan.ts';
import { controlPlaneNodes, type Spec, type SpecNode } from '../spec/spec.ts';
import { askOnce, type Question, type Verdict } from './ask/question.ts';

/** What a check may look at. Nodes are read-only ports. */
export interface CheckContext {
  readonly spec: Spec;
  readonly nodes: ReadonlyMap<string, NodePort>;
  /** As gathered just before. */
  readonly facts: ClusterFacts;
  /** What a run would still change, from the same facts. */
  readonly plan: Plan;
  /** How many connections are tried where something is counted. */
  readonly tries: number;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** Something that should be true of a running cluster, said as a sentence. */
export interface Check {
  /** Stable: scripts match it. */
  readonly name: string;
  readonly title: string;
  /** It makes many connections, and wants to be alone. */
  readonly heavy?: boolean;
  /** It looks at the facts only: asked again, it says the same. */
  readonly fromFacts?: boolean;
  ask(cx: CheckContext): Promise<Verdict>;
}

export interface CheckResult {
  readonly name: string;
  readonly title: string;
  readonly verdict: Verdict;
  readonly ms: number;
}

/** All at once, but for those that make many connections: they would disturb each other and everybody else. */
export async function runChecks(
  checks: readonly Check[],
  cx: CheckContext,
  onResult: (result: CheckResult) => void = () => undefined,
): Promise<readonly CheckResult[]> {
  const ask = async (check: Check): Promise<CheckResult> => {
    const start = performance.now();
    const verdict = await check.ask(cx).catch((error: unknown): Verdict => {
      if (cx.signal.aborted) throw error;
      return { is: 'not-ok', want: check.title, saw: error instanceof Error ? error.message : String(error) };
    });
    const result = { name: check.name, title: check.title, verdict, ms: performance.now() - start };
    onResult(result);
    return result;
  };
  const light = await Promise.all(checks.filter((check) => check.heavy !== true).map(ask));
  const heavy: CheckResult[] = [];
  for (const check of checks) if (check.heavy === true) heavy.push(await ask(check));
  const all = new Map([...light, ...heavy].map((result) => [result.name, result]));
  return checks.flatMap(({ name }) => all.get(name) ?? []);
}

export function allOk(results: readonly CheckResult[]): boolean {
  return results.every((result) => result.verdict.is !== 'not-ok');
}

export function portOf(cx: CheckContext, node: SpecNode): NodePort {
  const port = cx.nodes.get(node.name);
  if (port === undefined) throw new Error(`No port to node ${node.name}`);
  return port;
}

/** The same question to several nodes at once; one verdict, which names the nodes that said no. */
export async function askEach(
  cx: CheckContext,
  nodes: readonly SpecNode[],
  questionFor: (node: SpecNode) => Question,
): Promise<Verdict> {
  const answers = await Promise.all(
    nodes.map(async (node) => ({ node, verdict: await ask(cx, node, questionFor(node)) })),
  );
  const bad = answers.flatMap(({ node, verdict }) =>
    verdict.is === 'not-ok' && !isNoPod(verdict.saw) ? [{ node: node.name, want: verdict.want, saw: verdict.saw }] : [],
  );
  const [first] = bad;
  if (first === undefined) return { is: 'ok', saw: `${nodes.length} of ${nodes.length} nodes` };
  return { is: 'not-ok', want: first.want, saw: bad.map(({ node, saw }) => `${node}: ${saw}`).join('; ') };
}

/** What `connections` from a pod says on a node that has none: no answer, and no failure. */
export function isNoPod(saw: string): boolean {
  return saw.startsWith('no pod ');
}

/** A question about the cluster, which any master can answer: the first one that can is believed. */
export async function askAnyMaster(cx: CheckContext, questionFor: (node: SpecNode) => Question): Promise<Verdict> {
  let last: Verdict = { is: 'skip', reason: 'there is no master' };
  for (const node of controlPlaneNodes(cx.spec)) {
    last = await ask(cx, node, questionFor(node));
    // Not an answer but the lack of one: its apiserver or etcd is down, which another check says.
    if (last.is !== 'not-ok' || !/^(?:kubectl|etcd): |^Cannot reach/.test(last.saw)) return last;
  }
  return last;
}

async function ask(cx: CheckContext, node: SpecNode, question: Question): Promise<Verdict> {
  try {
    return await askOnce(portOf(cx, node), question, { signal: cx.signal });
  } catch (error) {
    if (cx.signal.aborted) throw error;
    return { is: 'not-ok', want: question.want, saw: error instanceof Error ? error.message : String(error) };
  }
}
