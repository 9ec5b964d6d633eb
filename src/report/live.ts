import { formatDuration } from '../std/duration.ts';
import { paint } from './color.ts';
import type { Event } from './event.ts';
import type { Formatters, Reporter, Sink } from './reporter.ts';

interface Running {
  readonly title: string;
  readonly since: number;
  readonly estimate: number | undefined;
  detail: string;
  share: number | undefined;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Finished tasks scroll up; running ones are redrawn below them ten times a second. */
export function createLiveReporter(sink: Sink, opts: { color: boolean }): Reporter {
  const running = new Map<string, Running>();
  let drawn = 0;
  let frame = 0;
  const color = paint(opts.color);
  const width = () => Math.max(40, sink.columns ?? 80);

  const erase = () => {
    if (drawn > 0) sink.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = () => {
    const lines = [...running.values()].map((r) => runningLine(r, frames[frame % frames.length] ?? '', width()));
    if (lines.length > 0) sink.write(`${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const say = (line: string) => {
    erase();
    sink.write(`${line}\n`);
    draw();
  };
  const timer = setInterval(() => {
    frame += 1;
    erase();
    draw();
  }, 100);
  timer.unref();

  const formatters: Formatters<void> = {
    'task-started': (e) => {
      running.set(e.task, {
        title: e.title,
        since: performance.now(),
        estimate: e.estimate,
        detail: '',
        share: undefined,
      });
    },
    'task-progress': (e) => {
      const r = running.get(e.task);
      if (r === undefined) return;
      r.detail = e.detail;
      r.share = e.done === undefined || e.total === undefined || e.total === 0 ? undefined : e.done / e.total;
    },
    'task-finished': (e) => {
      running.delete(e.task);
      say(columns(`${color.green('✔')} ${e.title}`, e.title.length + 2, e.detail ?? '', formatDuration(e.ms), width()));
    },
    'task-failed': (e) => {
      running.delete(e.task);
      say(`${color.red('✘')} ${e.title}  ${e.reason}`);
    },
    note: (e) => say(e.text),
    warning: (e) => say(`${color.yellow('warning:')} ${e.text}`),
  };
  return {
    emit: (event) => (formatters[event.kind] as (e: Event) => void)(event),
    close: () => {
      clearInterval(timer);
      erase();
    },
  };
}

function runningLine(r: Running, frame: string, width: number): string {
  const elapsed = performance.now() - r.since;
  const left =
    r.estimate === undefined || elapsed > r.estimate ? '' : ` · about ${formatDuration(r.estimate - elapsed)} left`;
  const bar = r.share === undefined ? '' : `  ${drawBar(r.share, 18)}`;
  const line = `${frame} ${r.title}${r.detail === '' ? '' : `  ${r.detail}`}  ${formatDuration(elapsed)}${bar}${left}`;
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

function columns(left: string, leftLength: number, middle: string, right: string, width: number): string {
  const gap = Math.max(2, 36 - leftLength);
  const text = `${left}${' '.repeat(gap)}${middle}`;
  const used = leftLength + gap + middle.length;
  return `${text}${' '.repeat(Math.max(2, Math.min(width, 80) - used - right.length))}${right}`;
}

function drawBar(share: number, cells: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * cells);
  return `${'━'.repeat(full)}${'─'.repeat(cells - full)}`;
}
