import { OperatorError } from '../errors/operator-error.ts';
import type { NodePort } from '../node/port.ts';
import { type Plan, planDigest } from '../plan/plan.ts';
import type { Step, StepId } from '../plan/step.ts';
import type { ProgramSource } from '../program/source.ts';
import type { Emit } from '../report/event.ts';
import type { Spec } from '../spec/spec.ts';
import { formatDuration } from '../std/duration.ts';
import { keepWhatWasBefore } from './before.ts';
import { type Handler, type Handlers, type ReadLocal, StepContext } from './handler.ts';
import { handlers as allHandlers } from './handlers/index.ts';
import type { Journal } from './journal.ts';
import { remainingMs } from './remaining.ts';
import type { Secrets } from './secrets.ts';
import { titleOf } from './title.ts';

export interface ApplyContext {
  readonly spec: Spec;
  readonly nodes: ReadonlyMap<string, NodePort>;
  readonly secrets: Secrets;
  readonly journal: Journal;
  readonly emit: Emit;
  /** Aborted by Ctrl-C: running steps are finished, no new one starts. */
  readonly signal: AbortSignal;
  readonly readLocal: ReadLocal;
  readonly program: ProgramSource;
  readonly run: { readonly id: string; readonly by: string; readonly command: string };
  readonly handlers?: Handlers;
  readonly now?: () => Date;
}

export interface Applied {
  readonly done: number;
  readonly ms: number;
}

// Steps on different nodes cost this machine an ssh session each. 64 keep 5,000 workers busy without thousands of processes.
const atOnce = 64;

/**
 * Carries out a plan: chains are run in order and antichains at once, as `needs` says. After a failure or Ctrl-C no new
 * step starts and the running ones are finished; nothing is rolled back, because the next run plans what is missing.
 */
export async function applyPlan(plan: Plan, cx: ApplyContext): Promise<Applied> {
  await keepWhatWasBefore(plan.steps, cx.nodes);
  return new Run(plan, cx).finish();
}

class Run {
  readonly #plan: Plan;
  readonly #cx: ApplyContext;
  readonly #emit: Emit;
  readonly #started = performance.now();
  readonly #ready: Step[] = [];
  /** How many of its needs each step still waits for, and whom each step is needed by. */
  readonly #missing = new Map<StepId, number>();
  readonly #dependents = new Map<StepId, Step[]>();
  readonly #running = new Map<StepId, { readonly since: number; readonly promise: Promise<void> }>();
  readonly #done = new Set<StepId>();
  readonly #failures: { readonly step: Step; readonly error: unknown }[] = [];
  readonly #stopWaiting = new AbortController();

  constructor(plan: Plan, cx: ApplyContext) {
    this.#plan = plan;
    this.#cx = cx;
    this.#emit = (event) => cx.emit(cx.secrets.redactAll(event));
    for (const step of plan.steps) {
      const needs = new Set(step.needs);
      this.#missing.set(step.id, needs.size);
      if (needs.size === 0) this.#ready.push(step);
      for (const id of needs) this.#dependents.set(id, [...(this.#dependents.get(id) ?? []), step]);
    }
  }

  async finish(): Promise<Applied> {
    const { journal, run, signal } = this.#cx;
    journal.add({
      entry: 'run-started',
      command: run.command,
      by: run.by,
      cluster: this.#plan.cluster,
      planDigest: planDigest(this.#plan),
      steps: this.#plan.steps.map((step) => step.id),
    });
    const onAbort = () => this.#stopWaiting.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#emit({ kind: 'task-started', task: 'apply', title: 'apply', estimate: this.#plan.estimateMs });
    const ticker = setInterval(() => this.#tellProgress(), 1000);
    try {
      this.#startReady();
      while (this.#running.size > 0) {
        await Promise.race([...this.#running.values()].map((entry) => entry.promise));
        this.#startReady();
      }
    } finally {
      clearInterval(ticker);
      signal.removeEventListener('abort', onAbort);
    }
    return this.#end();
  }

  #startReady(): void {
    while (!this.#stopWaiting.signal.aborted && this.#running.size < atOnce) {
      const step = this.#ready.shift();
      if (step === undefined) return;
      // Never rejects: #carryOut keeps the failure.
      this.#running.set(step.id, { since: performance.now(), promise: this.#carryOut(step) });
    }
  }

  #finished(step: Step): void {
    this.#done.add(step.id);
    for (const dependent of this.#dependents.get(step.id) ?? []) {
      const missing = (this.#missing.get(dependent.id) ?? 0) - 1;
      this.#missing.set(dependent.id, missing);
      if (missing === 0) this.#ready.push(dependent);
    }
  }

  async #carryOut(step: Step): Promise<void> {
    // The journal is on disk before anything happens, and `#running` has this step before it can end.
    await Promise.resolve();
    const { journal, secrets } = this.#cx;
    const title = titleOf(step);
    const start = performance.now();
    try {
      journal.add({
        entry: 'step-started',
        step: step.id,
        node: step.node,
        kind: step.kind,
        because: step.because,
        undo: step.undo,
      });
      this.#emit({ kind: 'task-started', task: step.id, title, estimate: step.estimateMs });
      const detail = await this.#handle(step);
      const ms = performance.now() - start;
      this.#finished(step);
      journal.add({ entry: 'step-done', step: step.id, ms: Math.round(ms), detail });
      this.#emit({ kind: 'task-finished', task: step.id, title, ms, ...(detail === undefined ? {} : { detail }) });
    } catch (thrown) {
      const error = secrets.redactError(thrown);
      const ms = performance.now() - start;
      const reason = error instanceof Error ? error.message : String(error);
      this.#failures.push({ step, error });
      journal.add({ entry: 'step-failed', step: step.id, ms: Math.round(ms), reason });
      this.#emit({ kind: 'task-failed', task: step.id, title, reason, ms });
      // Holds of other chains would wait for something that will not come.
      this.#stopWaiting.abort(new OperatorError('INTERRUPTED', `Stopped waiting because ${step.id} failed`));
    } finally {
      this.#running.delete(step.id);
    }
  }

  #handle(step: Step): Promise<string | undefined> {
    const { spec, nodes, secrets, readLocal, program, run, handlers = allHandlers, now = () => new Date() } = this.#cx;
    const cx = new StepContext({
      spec,
      step,
      nodes,
      secrets,
      readLocal,
      program,
      run,
      now,
      waiting: this.#stopWaiting.signal,
      progress: (detail, done, total) =>
        this.#emit({
          kind: 'task-progress',
          task: step.id,
          detail,
          ...(done === undefined ? {} : { done }),
          ...(total === undefined ? {} : { total }),
        }),
    });
    // The mapped type guarantees that the handler takes exactly this kind of step.
    return (handlers[step.kind] as Handler<typeof step.kind>)(step as never, cx);
  }

  #tellProgress(): void {
    const elapsed = new Map([...this.#running].map(([id, { since }]) => [id, performance.now() - since]));
    const left = remainingMs(this.#plan.steps, this.#done, elapsed);
    const total = this.#plan.steps.length;
    const detail = `${this.#done.size} of ${total}${left > 1000 ? ` · about ${formatDuration(left)} left` : ''}`;
    this.#emit({ kind: 'task-progress', task: 'apply', detail, done: this.#done.size, total });
  }

  #end(): Applied {
    const { journal, signal } = this.#cx;
    const ms = performance.now() - this.#started;
    const total = this.#plan.steps.length;
    const count = `${this.#done.size} of ${total} steps`;
    const [first] = this.#realFailures();
    if (first === undefined && this.#done.size === total) {
      journal.add({ entry: 'run-ended', outcome: 'done', reason: undefined });
      this.#emit({ kind: 'task-finished', task: 'apply', title: 'apply', detail: count, ms });
      return { done: total, ms };
    }
    const error = first === undefined ? interrupted(signal.reason, count) : stepFailed(first, count);
    journal.add({
      entry: 'run-ended',
      outcome: first === undefined ? 'interrupted' : 'failed',
      reason: error.message,
    });
    this.#emit({ kind: 'task-failed', task: 'apply', title: 'apply', reason: `stopped after ${count}`, ms });
    throw this.#cx.secrets.redactError(error);
  }

  /** Without the holds that were only stopped because something else failed or the operator said so. */
  #realFailures() {
    return this.#failures.filter(({ error }) => !(error instanceof OperatorError && error.code === 'INTERRUPTED'));
  }
}

function interrupted(reason: unknown, count: string): OperatorError {
  if (reason instanceof OperatorError && reason.code !== 'INTERRUPTED') return reason;
  const why = reason instanceof Error ? reason.message : 'Interrupted';
  return new OperatorError('INTERRUPTED', `${why} after ${count}; what was under way was finished`, { hint: goOn });
}

const goOn = 'run the same command again: it looks at the nodes first and does only what is missing';

function stepFailed({ step, error }: { step: Step; error: unknown }, count: string): OperatorError {
  const known = error instanceof OperatorError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const cause = known?.cause === undefined ? message : `${message}\n${causeText(known.cause)}`;
  return new OperatorError(known?.code ?? 'STEP_FAILED', `${titleOf(step)} failed, after ${count}`, {
    cause,
    hint: known?.hint === undefined ? goOn : `${known.hint}; then ${goOn}`,
  });
}

function causeText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
