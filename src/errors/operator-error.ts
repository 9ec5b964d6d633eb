import type { ErrorCode } from './codes.ts';
import type { Diagnostic } from './diagnostic.ts';

/** Exit codes of the command line, as docs/cli.md lists them. */
export const exitCodes = { ok: 0, failed: 1, changes: 2, usage: 64, badSpec: 65 } as const;

/**
 * An error whose reader is the operator.
 *
 * `message` says what could not be done, `cause` why, and `hint` the one next thing to try. Messages start with the
 * subject in sentence case and have no final period. No secret is ever part of one.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, opts: { hint?: string; cause?: unknown; exitCode?: number } = {}) {
    super(message, opts.cause === undefined ? undefined : { cause: opts.cause });
    this.code = code;
    this.hint = opts.hint;
    this.exitCode = opts.exitCode ?? (code === 'USAGE' ? exitCodes.usage : exitCodes.failed);
  }
}

/** A file that cannot be used as it is, with every problem found in it. Exit code 65. */
export class BadSpecError extends Error {
  override readonly name = 'BadSpecError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(
      `${diagnostics.length} problem${diagnostics.length === 1 ? '' : 's'} in ${diagnostics[0]?.file ?? 'the spec'}`,
    );
    this.diagnostics = diagnostics;
  }
}
