import { runTool } from './run-tool.ts';
import { uninstallSteering } from './uninstall.ts';

/** `hairpin agent uninstall`: what `hairpin reset` and `hairpin agent install --remove` run on a node, after stopping the units. */
export async function uninstallVerb(): Promise<void> {
  for (const line of await uninstallSteering(runTool)) process.stdout.write(`${line}\n`);
}
