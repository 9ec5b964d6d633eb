import type { Emit, Event } from './event.ts';

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
