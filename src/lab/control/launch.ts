import { join } from 'node:path';
import { cacheDir } from '../paths.ts';

/**
 * Environment of the lab's own daemons. Node keeps what it compiled (types stripped, bytecode) beside the other things
 * that can be made again, which takes a daemon's start from 0.2 s of processor time to 0.07 s.
 */
export function daemonEnv(): Readonly<Record<string, string>> {
  return { NODE_COMPILE_CACHE: join(cacheDir(), 'compile') };
}
