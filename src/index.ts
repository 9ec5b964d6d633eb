/**
 * The library. The command line uses this file and nothing behind it, so whatever `hairpin` can do, a program can do.
 */
export { type Diagnostic, formatDiagnostic } from './errors/diagnostic.ts';
export { BadSpecError, exitCodes, OperatorError } from './errors/operator-error.ts';
export { type Emit, type Event, silent } from './report/event.ts';
export { createReporter } from './report/reporter.ts';
