import pLimit from 'p-limit';
import { OperatorError } from '../errors/operator-error.ts';
import type { NodePort } from '../node/port.ts';
import { clockScript, readClock } from './clock.ts';
import { findDuplicates } from './duplicates.ts';
import type { Ask } from './probe.ts';
import { factsScript, parseFacts } from './script.ts';
import type { ClusterFacts, NodeReport } from './types.ts';

export interface GatherOptions {
  readonly signal?: AbortSignal | undefined;
  /** Nodes asked at a time. Each costs a connection and a few processes on this machine. */
  readonly concurrency?: number;
  /** Milliseconds for all probes of one node; the slowest single one may take 4 s. */
  readonly timeout?: number;
  /** Called as each node has answered or failed. */
  readonly onNode?: (report: NodeReport, done: number, total: number) => void;
}

/**
 * Looks at all nodes at once: one command a node, whatever the number of facts. A node that cannot be reached is part
 * of the result; only an abort throws.
 */
export async function gatherFacts(
  nodes: readonly { readonly node: NodePort; readonly ask: Ask }[],
  opts: GatherOptions = {},
): Promise<ClusterFacts> {
  const start = performance.now();
  const at = new Date().toISOString();
  const limit = pLimit(opts.concurrency ?? 32);
  let done = 0;
  const reports = await Promise.all(
    nodes.map(({ node, ask }) =>
      limit(async () => {
        const report = await gatherNode(node, ask, opts);
        done += 1;
        opts.onNode?.(report, done, nodes.length);
        return report;
      }),
    ),
  );
  return { at, ms: Math.round(performance.now() - start), nodes: reports, duplicates: findDuplicates(reports) };
}

async function gatherNode(node: NodePort, ask: Ask, opts: GatherOptions): Promise<NodeReport> {
  const start = performance.now();
  const elapsed = () => Math.round(performance.now() - start);
  try {
    opts.signal?.throwIfAborted();
    let asked = Date.now();
    let heard: number | undefined;
    const { stdout } = await node.probe(['sh', '-c', `${clockScript}\n${factsScript(ask)}`, 'hairpin-facts'], {
      signal: opts.signal,
      timeout: opts.timeout ?? 20_000,
      onStart: () => {
        asked = Date.now();
      },
      onLine: () => {
        heard ??= Date.now();
      },
    });
    const clock = readClock(stdout.split('\n', 1)[0] ?? '', { asked, heard: heard ?? Date.now() });
    return { is: 'seen', node: node.name, ms: elapsed(), facts: { ...parseFacts(stdout, ask), clock } };
  } catch (error) {
    if (opts.signal?.aborted === true || !(error instanceof OperatorError)) throw error;
    const cause = error.cause instanceof Error ? error.cause.message : (error.cause as string | undefined);
    const { code, message: reason, hint } = error;
    return { is: 'unreachable', node: node.name, ms: elapsed(), code, reason, cause, hint };
  }
}
