import type { Reporter, Sink } from './reporter.ts';

/** Events as JSON lines with a time stamp, for programs. */
export function createJsonReporter(sink: Sink, now: () => Date = () => new Date()): Reporter {
  return {
    emit: (event) => void sink.write(`${JSON.stringify({ at: now().toISOString(), ...event })}\n`),
    close: () => undefined,
  };
}
