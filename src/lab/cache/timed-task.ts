import type { Emit } from '../../report/event.ts';

export type Progress = (detail: string, done?: number, total?: number) => void;

/** `task` of report/event.ts for work whose length is known beforehand, so that reporters can say what is left. */
export async function timedTask<T>(
  emit: Emit,
  about: { readonly task: string; readonly title: string; readonly estimate: number },
  work: (progress: Progress) => Promise<T>,
  detail?: (result: T) => string,
): Promise<T> {
  const { task, title } = about;
  const start = performance.now();
  emit({ kind: 'task-started', ...about });
  const progress: Progress = (text, done, total) =>
    emit({
      kind: 'task-progress',
      task,
      detail: text,
      ...(done === undefined ? {} : { done }),
      ...(total === undefined ? {} : { total }),
    });
  try {
    const result = await work(progress);
    const ms = performance.now() - start;
    emit({ kind: 'task-finished', task, title, ms, ...(detail === undefined ? {} : { detail: detail(result) }) });
    return result;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    emit({ kind: 'task-failed', task, title, reason, ms: performance.now() - start });
    throw error;
  }
}
