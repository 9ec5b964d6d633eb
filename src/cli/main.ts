import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Types are stripped and code is compiled once and kept with the other things that can be made again: most of the time
// of a short command goes into that. Without a place to write to it is only slower.
const cache = process.env.HAIRPIN_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hairpin');
enableCompileCache(join(cache, 'compile'));

const [{ main }, { reportError }] = await Promise.all([import('./program.ts'), import('./run.ts')]);

// process.exitCode and not process.exit: what was written to a pipe must reach it.
try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportError(error, false);
}
