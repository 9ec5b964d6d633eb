import { setTimeout as sleep } from 'node:timers/promises';
import { loadAsset } from './asset.ts';
import { troubleInWords } from './trouble.ts';
import { isDaemonVerb, runDaemonVerb } from './verbs.ts';

/**
 * Where the executable starts. The agent's verbs are compiled in and run at once; everything else is the command line,
 * which is text until somebody asks for it.
 */
const [first, verb, ...rest] = process.argv.slice(2);
if (first === 'agent' && isDaemonVerb(verb) && !rest.includes('--help')) {
  runDaemonVerb(verb, rest).catch(async (error: unknown) => {
    process.stderr.write(`${troubleInWords(error)}\n`);
    // systemd starts it again at once, so that steering outlives a crash. What cannot start at all, as with a file that is
    // refused, must not take the node's time for that.
    if (process.env.INVOCATION_ID !== undefined) await sleep(2000);
    process.exit(1);
  });
} else {
  loadAsset('cli.cjs', 'hairpin-cli.cjs');
}
