import { questionOf } from '../../check/ask/holds.ts';
import { waitUntil } from '../../check/ask/wait.ts';
import type { Handler } from '../handler.ts';

/** Changes nothing, so it leaves no line in the node's journal and is cut short by Ctrl-C. */
export const hold: Handler<'hold'> = async (step, cx) => {
  await waitUntil(cx.node, questionOf(step.check, cx.spec, cx.specNode(step.node)), {
    deadlineMs: step.deadlineMs,
    signal: cx.waiting,
    onSeen: (saw) => cx.progress(saw),
  });
  return undefined;
};
