import { formatDuration } from '../std/duration.ts';
import type { Event } from './event.ts';
import type { Formatters, Reporter, Sink } from './reporter.ts';

/** One line an event, no colour, nothing redrawn: for logs, pipes and CI. Progress is a line at most every 5 s a task. */
export function createPlainReporter(sink: Sink, clock: () => number = () => performance.now()): Reporter {
  const lastSaid = new Map<string, number>();
  const formatters: Formatters<string | undefined> = {
    'task-started': (e) => {
      lastSaid.set(e.task, clock());
      return `  … ${e.title}${e.estimate === undefined ? '' : `, about ${formatDuration(e.estimate)}`}`;
    },
    'task-progress': (e) => {
      if (clock() - (lastSaid.get(e.task) ?? Number.NEGATIVE_INFINITY) < 5000) return undefined;
      lastSaid.set(e.task, clock());
      const count = e.done === undefined ? '' : ` (${e.done}${e.total === undefined ? '' : ` of ${e.total}`})`;
      return `    ${e.task}: ${e.detail}${count}`;
    },
    'task-finished': (e) => `  ✔ ${e.title}${e.detail === undefined ? '' : `  ${e.detail}`}  ${formatDuration(e.ms)}`,
    'task-failed': (e) => `  ✘ ${e.title}  ${e.reason}  ${formatDuration(e.ms)}`,
    note: (e) => e.text,
    warning: (e) => `warning: ${e.text}`,
  };
  return {
    emit: (event) => {
      const line = (formatters[event.kind] as (e: Event) => string | undefined)(event);
      if (line !== undefined) sink.write(`${line}\n`);
    },
    close: () => undefined,
  };
}
