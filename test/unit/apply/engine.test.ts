import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ApplyContext, applyPlan } from '../../../src/apply/engine.ts';
import type { Handlers } from '../../../src/apply/handler.ts';
import { handlers } from '../../../src/apply/handlers/index.ts';
import { MemoryJournal } from '../../../src/apply/journal.ts';
import { Secrets } from '../../../src/apply/secrets.ts';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import type { Step } from '../../../src/plan/step.ts';
import type { Event } from '../../../src/report/event.ts';
import type { Spec } from '../../../src/spec/spec.ts';
import { MemoryNode } from '../../support/memory-node.ts';
import { noProgram } from '../../support/no-program.ts';
import { planOf, runStep } from '../../support/steps.ts';

/** A context whose `run` steps are carried out by `work`. */
function contextFor(
  steps: readonly Step[],
  work: (id: string) => Promise<void>,
  signal = new AbortController().signal,
) {
  const journal = new MemoryJournal();
  const events: Event[] = [];
  const own: Handlers = {
    ...handlers,
    run: async (step) => {
      await work(step.id);
      return undefined;
    },
  };
  const cx: ApplyContext = {
    spec: { nodes: [] } as unknown as Spec,
    nodes: new Map(steps.map((step) => [step.node, new MemoryNode(step.node)])),
    secrets: new Secrets(),
    journal,
    emit: (event) => events.push(event),
    signal,
    readLocal: () => Promise.resolve(new Uint8Array()),
    program: noProgram,
    run: { id: 'run-1', by: 'tester@here', command: 'up' },
    handlers: own,
  };
  return { cx, journal, events };
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('applyPlan()', () => {
  test('starts a step only when everything it needs has ended, over random plans', async () => {
    const graphs = fc
      .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 30 })
      .map((needs) => needs.map((list, i) => runStep(`s${i}`, i === 0 ? [] : list.map((n) => `s${n % i}`))));
    await fc.assert(
      fc.asyncProperty(graphs, async (steps) => {
        const ended = new Set<string>();
        const early: string[] = [];
        const needs = new Map(steps.map((step) => [step.id, step.needs]));
        const { cx } = contextFor(steps, async (id) => {
          early.push(...(needs.get(id) ?? []).filter((need) => !ended.has(need)).map((need) => `${id} before ${need}`));
          await tick();
          ended.add(id);
        });
        await applyPlan(planOf(steps), cx);
        expect(early).toEqual([]);
        expect(ended.size).toBe(steps.length);
      }),
      { numRuns: 60 },
    );
  });

  test('runs what does not need each other at the same time', async () => {
    const steps = [runStep('m1/a'), runStep('m2/a'), runStep('m3/a'), runStep('m1/b', ['m1/a', 'm2/a', 'm3/a'])];
    let atOnce = 0;
    let most = 0;
    const { cx } = contextFor(steps, async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await tick();
      atOnce -= 1;
    });
    await applyPlan(planOf(steps), cx);
    expect(most).toBe(3);
  });

  test('finishes what runs after a failure, starts nothing new, and says how to go on', async () => {
    const steps = [
      runStep('m1/bad'),
      runStep('m2/slow'),
      runStep('m2/after', ['m2/slow']),
      runStep('m1/x', ['m1/bad']),
    ];
    const ended: string[] = [];
    const { cx, journal } = contextFor(steps, async (id) => {
      if (id === 'm1/bad') throw new OperatorError('KUBEADM_FAILED', 'kubeadm init failed', { cause: 'port in use' });
      for (let i = 0; i < 5; i += 1) await tick();
      ended.push(id);
    });
    const error = await applyPlan(planOf(steps), cx).catch((thrown: unknown) => thrown);
    expect(ended).toEqual(['m2/slow']);
    expect(error).toMatchObject({
      code: 'KUBEADM_FAILED',
      message: 'm1 run true m1/bad failed, after 1 of 4 steps',
      hint: 'run the same command again: it looks at the nodes first and does only what is missing',
    });
    expect((error as Error).cause).toBe('kubeadm init failed\nport in use');
    expect(journal.entries.map((entry) => [entry.entry, 'step' in entry ? entry.step : undefined])).toEqual([
      ['run-started', undefined],
      ['step-started', 'm1/bad'],
      ['step-started', 'm2/slow'],
      ['step-failed', 'm1/bad'],
      ['step-done', 'm2/slow'],
      ['run-ended', undefined],
    ]);
  });

  test('Ctrl-C lets the running step end and says how many are done', async () => {
    const stop = new AbortController();
    const steps = [runStep('m1/a'), runStep('m1/b', ['m1/a']), runStep('m1/c', ['m1/b'])];
    const ended: string[] = [];
    const { cx, journal } = contextFor(
      steps,
      async (id) => {
        if (id === 'm1/b') stop.abort(new OperatorError('INTERRUPTED', 'Interrupted by SIGINT'));
        await tick();
        ended.push(id);
      },
      stop.signal,
    );
    const error = await applyPlan(planOf(steps), cx).catch((thrown: unknown) => thrown);
    expect(ended).toEqual(['m1/a', 'm1/b']);
    expect(error).toMatchObject({
      code: 'INTERRUPTED',
      message: 'Interrupted by SIGINT after 2 of 3 steps; what was under way was finished',
    });
    expect(journal.entries.at(-1)).toMatchObject({ entry: 'run-ended', outcome: 'interrupted' });
  });

  test('keeps secrets out of events, journal and errors', async () => {
    const steps = [runStep('m1/leaky')];
    const { cx, journal, events } = contextFor(steps, async () => {
      const text = `token ${cx.secrets.value('join-token')} key ${cx.secrets.value('certificate-key')}`;
      throw new OperatorError('STEP_FAILED', text, { hint: text, cause: new Error(text) });
    });
    const error = (await applyPlan(planOf(steps), cx).catch((thrown: unknown) => thrown)) as OperatorError;
    const everything = JSON.stringify([journal.entries, events, error.message, error.hint, error.cause, error.stack]);
    expect(everything).not.toContain(cx.secrets.value('join-token'));
    expect(everything).not.toContain(cx.secrets.value('join-token').slice(7));
    expect(everything).not.toContain(cx.secrets.value('certificate-key'));
    expect(error.cause).toBe('token <join-token> key <certificate-key>\ntoken <join-token> key <certificate-key>');
  });

  test('a hold of another chain does not keep a failed run waiting', async () => {
    const hold: Step = {
      kind: 'hold',
      id: 'm2/hold',
      node: 'm2',
      phase: 'verify',
      because: 'the test wants it',
      needs: [],
      estimateMs: 0,
      undo: { is: 'nothing', because: 'it changes nothing' },
      check: { is: 'unit-active', unit: 'kubelet.service' },
      deadlineMs: 60_000,
    };
    const steps = [runStep('m1/bad'), hold];
    const { cx } = contextFor(steps, async () => {
      await tick();
      throw new Error('no');
    });
    const never = new MemoryNode(
      'm2',
      (_argv, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    const nodes = new Map([...cx.nodes, ['m2', never] as const]);
    const spec = { nodes: [{ name: 'm2' }] } as unknown as Spec;
    await expect(applyPlan(planOf(steps), { ...cx, nodes, spec })).rejects.toMatchObject({ code: 'STEP_FAILED' });
  });
});
