import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, onlyChanges } from '../log/log.ts';
import type { SteererLink } from './steerer-link.ts';
import {
  afterEnsure,
  forgotten,
  type InForce,
  nextTransition,
  nothingInForce,
  type Steer,
  sameTarget,
  type Target,
  type Wanted,
} from './steering.ts';

export interface TransitionContext {
  readonly link: SteererLink;
  readonly wanted: (inForce: InForce) => Wanted;
  /** Why the target is what it is, and since when, for the log. */
  readonly reason: () => { readonly because: string; readonly since: number };
  readonly nameOf: (address: string) => string;
  /** The first `ensure` was answered, well or not. */
  readonly answered: () => void;
  /** A target is in force now. */
  readonly switched: () => void;
  readonly log: Log;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export interface Transitions {
  readonly inForce: () => InForce;
  /** Something wanted has changed, or the steerer is there. */
  nudge(): void;
  /** What is in force is not known any more: everything is said again. */
  forget(): void;
  readonly counts: () => { readonly switches: number; readonly repairs: number };
  readonly done: Promise<void>;
}

const timeoutMs = 5000;
const firstPauseMs = 50;
const longestPauseMs = 5000;

/** Brings what is in force to what is wanted, one request at a time, for as long as it takes. */
export function makeTransitions(cx: TransitionContext): Transitions {
  let inForce = nothingInForce;
  let wake = Promise.withResolvers<void>();
  const counts = { switches: 0, repairs: 0 };
  const sayRefused = onlyChanges((text) => {
    if (text !== undefined) cx.log.warn({}, text);
  });

  const ensure = async (endpoints: readonly string[]): Promise<string | undefined> => {
    const askedAt = cx.now();
    const answer = await cx.link.ask<'ensure'>({ op: 'ensure', endpoints: [...endpoints] }, { timeoutMs });
    cx.answered();
    if (!answer.ok) return answer.problem;
    const made = inForce.epoch !== answer.epoch;
    if (made && inForce.epoch !== undefined) counts.repairs += 1;
    inForce = afterEnsure(endpoints, answer);
    sayRefused(answer.problems.length === 0 ? undefined : answer.problems.join('; '));
    if (made) {
      const held = answer.holdWorks ? 'refusals can be held' : 'refusals cannot be held on this kernel';
      const fields = { endpoints: answer.endpoints, ms: tenths(cx.now() - askedAt) };
      cx.log.info(fields, `the steering table for ${answer.endpoints.join(', ')} is there; ${held}`);
    }
    return undefined;
  };

  const steer = async ({ backends, hold, away }: Steer): Promise<string | undefined> => {
    const askedAt = cx.now();
    const { because, since } = cx.reason();
    const answer = await cx.link.ask<'steer'>({ op: 'steer', backends, hold, away }, { timeoutMs });
    if (!answer.ok) return answer.problem;
    const target: Target = { backends, hold };
    const changed = !sameTarget(inForce.target, target);
    inForce = { ...inForce, target };
    cx.switched();
    if (!changed) return undefined;
    counts.switches += 1;
    const at = cx.now();
    const sinceSeenMs = tenths(at - since);
    const fields = { backends, hold, ms: tenths(at - askedAt), sinceSeenMs, kernelMs: tenths(answer.ms) };
    const where = backends.length === 0 ? 'the balancer' : backends.map(cx.nameOf).join(', ');
    const held = hold ? ', refusals are held' : '';
    cx.log.info(
      fields,
      `new connections go to ${where}${held}: ${because}; in force ${sinceSeenMs} ms after that was seen`,
    );
    return undefined;
  };

  const run = async () => {
    let pause = firstPauseMs;
    cx.signal.addEventListener('abort', () => wake.resolve(), { once: true });
    while (!cx.signal.aborted) {
      wake = Promise.withResolvers<void>();
      const next = cx.link.up() ? nextTransition(cx.wanted(inForce), inForce) : undefined;
      if (next === undefined) {
        await wake.promise;
        continue;
      }
      const problem = await (next.op === 'ensure' ? ensure(next.endpoints) : steer(next)).catch((error: unknown) => {
        inForce = forgotten(inForce);
        return error instanceof Error ? error.message : String(error);
      });
      if (problem === undefined) {
        pause = firstPauseMs;
        continue;
      }
      if (cx.signal.aborted) return;
      cx.log.warn({ op: next.op }, `the steerer did not ${next.op}: ${problem}`);
      await sleep(pause, undefined, { signal: cx.signal, ref: false }).catch(() => undefined);
      pause = Math.min(pause * 2, longestPauseMs);
    }
  };

  const done = Promise.resolve().then(run);
  return {
    inForce: () => inForce,
    nudge: () => wake.resolve(),
    forget() {
      inForce = forgotten(inForce);
      wake.resolve();
    },
    counts: () => counts,
    done,
  };
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
