import { runTool } from './run-tool.ts';
import { withdrawSteering } from './withdraw.ts';

/** `hairpin agent withdraw`, on a node, after its units were stopped. */
export async function withdrawVerb(): Promise<void> {
  for (const line of await withdrawSteering(runTool)) process.stdout.write(`${line}\n`);
}
