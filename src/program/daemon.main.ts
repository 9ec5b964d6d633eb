import { isDaemonVerb, runDaemonVerb } from './verbs.ts';

/** `node daemon.main.ts VERB …`: the agent's verbs from a checkout, without the command line around them. */
const [verb, ...args] = process.argv.slice(2);
if (!isDaemonVerb(verb)) throw new Error(`There is no verb ${verb}`);
await runDaemonVerb(verb, args);
