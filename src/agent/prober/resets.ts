import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log/log.ts';
import type { SteererAnswer } from '../steerer/answers.ts';
import type { SteererRequest } from '../steerer/protocol.ts';

/**
 * All nodes see the same death; their clients must not all come back at one moment. Crash ≤ 1 s, hang ≤ 4 s in all: a worker
 * asks each second, which spreads silence over another, and its steerer waits up to 250 ms more.
 */
const jitterMs = 350;
const tries = 5;
const betweenTriesMs = 1000;

export interface Resets {
  readonly ask: (request: Extract<SteererRequest, { op: 'reset' }>) => Promise<SteererAnswer<'reset'>>;
  readonly addressesOf: (name: string) => readonly string[];
  readonly stillFailed: (name: string) => boolean;
  readonly ended: (name: string, flows: { readonly node: number; readonly pods: number }) => void;
  readonly log: Log;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Ends the flows to a dead apiserver, unless it answers again before its turn: its flows may live then. */
export async function endFlows(name: string, cx: Resets): Promise<void> {
  await pause(cx.random() * jitterMs, cx.signal);
  for (const backend of cx.addressesOf(name)) {
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      if (cx.signal.aborted || !cx.stillFailed(name)) return;
      const problem = await endOnce(name, backend, cx);
      if (problem === undefined) break;
      cx.log.warn({ backend: name, attempt }, `flows to ${name} could not be ended: ${problem}`);
      await pause(betweenTriesMs, cx.signal);
    }
  }
}

async function endOnce(name: string, backend: string, cx: Resets): Promise<string | undefined> {
  try {
    const answer = await cx.ask({ op: 'reset', backend });
    if (!answer.ok) return answer.problem;
    const { node, pods } = answer;
    const ms = Math.round(answer.ms);
    cx.ended(name, answer);
    const fields = { backend: name, address: backend, node, pods, ms };
    cx.log.info(fields, `flows to ${name} were ended: ${node} of this node and ${pods} of its pods, in ${ms} ms`);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
