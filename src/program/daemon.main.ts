import { formatDiagnostic } from '../errors/diagnostic.ts';
import { BadSpecError, exitCodes, OperatorError } from '../errors/operator-error.ts';
import { isDaemonVerb, runDaemonVerb } from './verbs.ts';

/** `node daemon.main.ts VERB …`: the agent's verbs from a checkout, without the command line around them. */
const [verb, ...args] = process.argv.slice(2);
try {
  if (!isDaemonVerb(verb)) throw new OperatorError('USAGE', `There is no verb ${verb}`);
  await runDaemonVerb(verb, args);
} catch (error) {
  process.exitCode = error instanceof OperatorError ? error.exitCode : exitCodes.failed;
  if (error instanceof BadSpecError) {
    process.exitCode = exitCodes.badSpec;
    for (const diagnostic of error.diagnostics) console.error(formatDiagnostic(diagnostic));
  } else if (error instanceof OperatorError) {
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    console.error(`${error.message}${cause}${error.hint === undefined ? '' : `\n    ${error.hint}`}   ${error.code}`);
  } else {
    console.error(error);
  }
}
