import { OperatorError } from '../../errors/operator-error.ts';
import type { NodePort } from '../../node/port.ts';
import type { Spec, SpecNode } from '../../spec/spec.ts';
import type { DrillFault } from './fault.ts';

/** The cluster as its faults know it: everything is done through these ports and nothing else. */
export interface FaultedCluster {
  readonly spec: Spec;
  readonly nodes: ReadonlyMap<string, NodePort>;
  /** `unknown` where nobody has looked: then nothing is ruled out. */
  readonly strategy: string;
}

/** What is done to one node, as pieces of sh that root runs there. Both may be run again at any time. */
export interface NodeFault {
  readonly name: string;
  readonly summary: string;
  readonly aimedAt: 'master' | 'worker' | 'node';
  readonly takesMembers: DrillFault['takesMembers'];
  readonly takesNodes?: DrillFault['takesNodes'];
  /** In a few words, for `--dry-run`. */
  would(cx: FaultTarget): readonly string[];
  /** Why it cannot be done to this cluster; `undefined` when it can. */
  readonly unavailable?: (cluster: FaultedCluster) => string | undefined;
  inject(cx: FaultTarget): Script;
  heal(cx: FaultTarget): Script;
}

export interface FaultTarget extends FaultedCluster {
  readonly node: SpecNode;
}

/** `$1`, `$2`, … of the text are `args`. */
export interface Script {
  readonly text: string;
  readonly args?: readonly string[];
}

/** Where faults keep what they took away; on tmpfs, so that a reboot heals what it can. */
export const runDir = '/run/hairpin-drill';

const timeoutMs = 60_000;

export function faultOfNodes(cluster: FaultedCluster, fault: NodeFault): DrillFault {
  const target = (name: string): FaultTarget => ({ ...cluster, node: nodeNamed(cluster, name) });
  const { name, summary, aimedAt, takesMembers, takesNodes } = fault;
  return {
    name,
    summary,
    aimedAt,
    takesMembers,
    ...(takesNodes === undefined ? {} : { takesNodes }),
    would: (to) => fault.would(target(to)).map((line) => `${to}: ${line}`),
    async inject(to, signal) {
      await runOn(cluster, to, fault.inject(target(to)), `\`${name}\``, { signal });
    },
    heal: (to) => healUntil(cluster, to, fault.heal(target(to)), name),
  };
}

/** What a piece of sh printed on a node; `OperatorError` when it failed. */
export async function runOn(
  cluster: FaultedCluster,
  name: string,
  { text, args = [] }: Script,
  what: string,
  opts: { readonly signal?: AbortSignal; readonly timeout?: number } = {},
): Promise<string> {
  const argv = ['sh', '-c', text, 'hairpin-drill', ...args];
  const { signal, timeout = timeoutMs } = opts;
  const result = await portOf(cluster, name).change(argv, signal === undefined ? { timeout } : { signal, timeout });
  if (result.exitCode === 0) return result.stdout;
  throw new OperatorError('DRILL_FAULT', `${what} failed on ${name}`, {
    cause: result.stderr.trim() || `exit code ${result.exitCode}`,
    hint: 'what was broken so far is healed; see the cause',
  });
}

/** A node that was cut off or is booting needs a moment until it can be told anything. */
async function healUntil(cluster: FaultedCluster, name: string, script: Script, fault: string): Promise<void> {
  const until = performance.now() + 180_000;
  for (;;) {
    try {
      await runOn(cluster, name, script, `healing \`${fault}\``);
      return;
    } catch (error) {
      if (!lostWith(error) || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** The node did not say how it went: it is off, cut off or on its way. */
export function lostWith(error: unknown): boolean {
  const codes = ['NODE_CONNECTION_LOST', 'NODE_TIMEOUT', 'NODE_UNREACHABLE'];
  return error instanceof OperatorError && codes.includes(error.code);
}

export function portOf(cluster: FaultedCluster, name: string): NodePort {
  const node = cluster.nodes.get(name);
  if (node === undefined) throw new Error(`There is no node ${name}`);
  return node;
}

export function nodeNamed(cluster: FaultedCluster, name: string): SpecNode {
  const node = cluster.spec.nodes.find((candidate) => candidate.name === name);
  if (node !== undefined) return node;
  throw new OperatorError('USAGE', `There is no node ${name} in the spec`);
}
