import { trafficVerb } from './verb.ts';

await trafficVerb(process.argv.slice(2));
