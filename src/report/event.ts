/**
 * What happens during a long run, as data. Library code takes an `Emit` and tells; only reporters decide how it looks.
 * A reporter formats every kind (a mapped type), so one that forgets a kind does not compile.
 *
 * `task` is a stable key (`m1/kubeadm-init`); events of one task share it. `total` and `done` have the unit `unit`.
 */
export type Event =
  | { readonly kind: 'task-started'; readonly task: string; readonly title: string; readonly estimate?: number }
  | {
      readonly kind: 'task-progress';
      readonly task: string;
      readonly detail: string;
      readonly done?: number;
      readonly total?: number;
    }
  | {
      readonly kind: 'task-finished';
      readonly task: string;
      readonly title: string;
      readonly detail?: string;
      readonly ms: number;
    }
  | {
      readonly kind: 'task-failed';
      readonly task: string;
      readonly title: string;
      readonly reason: string;
      readonly ms: number;
    }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string };

export type Emit = (event: Event) => void;

/** For callers that want no events. */
export const silent: Emit = () => undefined;

/** Runs `work` between a started and a finished (or failed) event; `work` may return the detail of the finished line. */
export async function task<T>(
  emit: Emit,
  name: string,
  title: string,
  work: (progress: (detail: string, done?: number, total?: number) => void) => Promise<T>,
  detail?: (result: T) => string,
): Promise<T> {
  const start = performance.now();
  emit({ kind: 'task-started', task: name, title });
  try {
    const result = await work((text, done, total) =>
      emit({
        kind: 'task-progress',
        task: name,
        detail: text,
        ...(done === undefined ? {} : { done }),
        ...(total === undefined ? {} : { total }),
      }),
    );
    emit({
      kind: 'task-finished',
      task: name,
      title,
      ms: performance.now() - start,
      ...(detail === undefined ? {} : { detail: detail(result) }),
    });
    return result;
  } catch (error) {
    emit({
      kind: 'task-failed',
      task: name,
      title,
      reason: error instanceof Error ? error.message : String(error),
      ms: performance.now() - start,
    });
    throw error;
  }
}
