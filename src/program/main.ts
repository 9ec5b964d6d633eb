import { createRequire } from 'node:module';
import { getAsset } from 'node:sea';
import { Script } from 'node:vm';
import { troubleInWords } from './trouble.ts';
import { isDaemonVerb, runDaemonVerb } from './verbs.ts';

/**
 * Where the executable starts. The agent's verbs are compiled in and run at once; everything else is the command line,
 * which is text until somebody asks for it.
 */
const [first, verb, ...rest] = process.argv.slice(2);
if (first === 'agent' && isDaemonVerb(verb) && !rest.includes('--help')) {
  runDaemonVerb(verb, rest).catch((error: unknown) => {
    process.stderr.write(`${troubleInWords(error)}\n`);
    process.exit(1);
  });
} else {
  const source = getAsset('cli.cjs', 'utf8');
  const wrapper = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: 'hairpin-cli.cjs',
  });
  const module = { exports: {} };
  const start = wrapper.runInThisContext() as (...args: readonly unknown[]) => void;
  // Everything but Node.js itself is in the bundle, so where requires start from does not matter.
  start(module.exports, createRequire('/hairpin'), module, '/hairpin', '/');
}
