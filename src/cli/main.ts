import { main } from './program.ts';
import { reportError } from './run.ts';

// process.exitCode and not process.exit: what was written to a pipe must reach it.
try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportError(error, false);
}
