import { main } from './program.ts';
import { reportError } from './run.ts';

/** The command line inside the executable (scripts/build.ts): compiled by whoever loads it, so nothing is cached here. */
main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = reportError(error, false);
});
