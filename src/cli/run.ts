import { BadSpecError, createReporter, type Emit, exitCodes, formatDiagnostic, OperatorError } from '../index.ts';

/** What a command gets: where to tell, when to stop, and how to print its result. */
export interface CommandContext {
  readonly emit: Emit;
  /** Aborted by the first Ctrl-C or SIGTERM; commands clean up and return. A second Ctrl-C ends the process at once. */
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly color: boolean;
  /** Prints the result: `value` with `--output json`, `text` otherwise. Text is computed only when it is wanted. */
  readonly print: (value: unknown, text: () => string) => void;
}

/**
 * Runs one command and sets the exit code: reporters, Ctrl-C, and errors are the same for all of them.
 * `work` returns the exit code, `undefined` meaning 0.
 */
export async function runCommand(
  opts: { output?: string },
  work: (cx: CommandContext) => Promise<number | undefined>,
): Promise<void> {
  const json = opts.output === 'json';
  const color = wantsColor(process.stderr.isTTY);
  const reporter = createReporter(process.stderr, { json, color });
  const stop = new AbortController();
  let signals = 0;
  const onSignal = (name: NodeJS.Signals) => {
    signals += 1;
    if (signals > 1) process.exit(130);
    stop.abort(new OperatorError('INTERRUPTED', `Interrupted by ${name}`));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const code = await work({
      emit: reporter.emit,
      signal: stop.signal,
      json,
      color: wantsColor(process.stdout.isTTY),
      print: (value, text) =>
        void process.stdout.write(json ? `${JSON.stringify(value, undefined, 2)}\n` : ensureNewline(text())),
    });
    reporter.close();
    process.exitCode = code ?? exitCodes.ok;
  } catch (error) {
    reporter.close();
    process.exitCode = reportError(error, json);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** Prints an error as its reader needs it and gives the exit code. The stack is shown for defects and with HAIRPIN_DEBUG=1. */
export function reportError(error: unknown, json: boolean): number {
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: describe(error) }, undefined, 2)}\n`);
  } else {
    process.stderr.write(`${inWords(error)}\n`);
  }
  if (error instanceof BadSpecError) return exitCodes.badSpec;
  return error instanceof OperatorError ? error.exitCode : exitCodes.failed;
}

function describe(error: unknown): unknown {
  if (error instanceof BadSpecError)
    return { code: 'BAD_SPEC', message: error.message, diagnostics: error.diagnostics };
  if (error instanceof OperatorError)
    return { code: error.code, message: error.message, hint: error.hint, cause: causeText(error) };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}

function inWords(error: unknown): string {
  if (error instanceof BadSpecError) {
    const n = error.diagnostics.length;
    return [...error.diagnostics.map(formatDiagnostic), `${n} problem${n === 1 ? '' : 's'}. Nothing was changed.`].join(
      '\n',
    );
  }
  if (error instanceof OperatorError) {
    const cause = causeText(error);
    return [
      error.message,
      ...(cause === undefined ? [] : [`  why: ${cause.replaceAll('\n', '\n       ')}`]),
      ...(error.hint === undefined ? [] : [`  hint: ${error.hint}`]),
      `  code: ${error.code}`,
      ...(process.env.HAIRPIN_DEBUG === '1' && error.stack !== undefined ? [error.stack] : []),
    ].join('\n');
  }
  return `A defect in hairpin: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function causeText(error: OperatorError): string | undefined {
  if (error.cause === undefined) return undefined;
  if (error.cause instanceof Error) return error.cause.message;
  return typeof error.cause === 'string' ? error.cause : JSON.stringify(error.cause);
}

function wantsColor(isTTY: boolean | undefined): boolean {
  return isTTY === true && (process.env.NO_COLOR ?? '') === '';
}

function ensureNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
