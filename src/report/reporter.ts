import type { Emit, Event } from './event.ts';
import { createJsonReporter } from './json.ts';
import { createLiveReporter } from './live.ts';
import { createPlainReporter } from './plain.ts';

/** Somewhere to show events. `close` puts the terminal back and prints what is still pending. */
export interface Reporter {
  readonly emit: Emit;
  close(): void;
}

export type Formatters<T> = { [K in Event['kind']]: (event: Extract<Event, { kind: K }>) => T };

/** A stream that reporters write to; `isTTY` and `columns` as in node:tty. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * Progress goes to standard error so that standard output stays the result: live lines on a terminal, plain lines
 * elsewhere, one JSON object a line with `--output json`.
 */
export function createReporter(sink: Sink, opts: { json: boolean; color: boolean }): Reporter {
  if (opts.json) return createJsonReporter(sink);
  if (sink.isTTY === true) return createLiveReporter(sink, opts);
  return createPlainReporter(sink);
}
