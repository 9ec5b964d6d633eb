import { createJsonReporter } from './json.ts';
import { createLiveReporter } from './live.ts';
import { createPlainReporter } from './plain.ts';
import type { Reporter, Sink } from './reporter.ts';

/**
 * Progress goes to standard error so that standard output stays the result: live lines on a terminal, plain lines
 * elsewhere, one JSON object a line with `--output json`.
 */
export function createReporter(sink: Sink, opts: { json: boolean; color: boolean }): Reporter {
  if (opts.json) return createJsonReporter(sink);
  if (sink.isTTY === true) return createLiveReporter(sink, opts);
  return createPlainReporter(sink);
}
