import { countLines, type Flow, socketFilters } from '../steerer/flows.ts';
import type { RunTool } from '../steerer/run-tool.ts';
import type { PodsAnswer } from './request.ts';

/** Namespaces looked into at once. */
const atOnce = 4;

/** Closes the sockets of these flows, in whichever namespace they are; all four values name them, so no other socket fits. */
export async function closeInPods(
  flows: readonly Flow[],
  namespaces: readonly string[],
  run: RunTool,
): Promise<PodsAnswer> {
  const filters = socketFilters(flows);
  const left = [...namespaces];
  let closed = 0;
  const missing = new Set<string>();
  const worker = async () => {
    for (let path = left.shift(); path !== undefined && closed < flows.length; path = left.shift()) {
      for (const filter of filters) {
        const ran = await run([
          'nsenter',
          `--net=${path}`,
          'ss',
          '--no-header',
          '--kill',
          '--tcp',
          '--numeric',
          filter,
        ]);
        if (ran.code === 0) closed += countLines(ran.stdout);
        // nsenter says 127 as well when it cannot find ss.
        else if (ran.code === 127) missing.add(ran.stderr);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return missing.size > 0 ? { ok: false, problem: [...missing].join('; ') } : { ok: true, closed };
}
