import { testHold } from './hold-test.ts';
import { runTool } from './run-tool.ts';

/** Prints `yes` or `no`. Only ever run by the pods process and the steerer, in a network namespace made for it. */
export async function holdTestVerb(): Promise<void> {
  process.stdout.write((await testHold(runTool)) ? 'yes\n' : 'no\n');
  process.exit(0);
}
