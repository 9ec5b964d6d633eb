import { createRequire } from 'node:module';
import { getAsset } from 'node:sea';
import { Script } from 'node:vm';
import { isDaemonVerb, runDaemonVerb } from './verbs.ts';

/**
 * Where the executable starts. The agent's verbs are compiled in and run at once; everything else is the command line,
 * which is text until somebody asks for it.
 */
const [first, verb, ...rest] = process.argv.slice(2);
if (first === 'agent' && isDaemonVerb(verb)) {
  runDaemonVerb(verb, rest).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
} else {
  const source = getAsset('cli.cjs', 'utf8');
  const wrapper = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: 'hairpin-cli.cjs',
  });
  const module = { exports: {} };
  const start = wrapper.runInThisContext() as (...args: readonly unknown[]) => void;
  start(module.exports, createRequire(process.execPath), module, process.execPath, '/');
}
