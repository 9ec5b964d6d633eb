import { formatDiagnostic } from '../errors/diagnostic.ts';
import { BadSpecError, OperatorError } from '../errors/operator-error.ts';

/** Why a verb of the agent could not start or go on, for the journal of the node. Defects keep their stack. */
export function troubleInWords(error: unknown): string {
  if (error instanceof BadSpecError) return error.diagnostics.map(formatDiagnostic).join('\n');
  if (error instanceof OperatorError) {
    const cause = error.cause instanceof Error ? error.cause.message : error.cause;
    const lines = [cause, error.hint].flatMap((line) => (typeof line === 'string' ? [`    ${line}`] : []));
    return [`${error.message}   ${error.code}`, ...lines].join('\n');
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
