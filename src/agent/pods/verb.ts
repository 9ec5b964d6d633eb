import { parseArgs } from 'node:util';
import { agentPaths } from '../config/paths.ts';
import { holdTestArgv, holdTestMs, readHoldTest } from '../steerer/hold-test.ts';
import { serveLines } from '../steerer/line-server.ts';
import { runTool } from '../steerer/run-tool.ts';
import { inheritedSocket } from '../steerer/systemd.ts';
import { closeInPods } from './close.ts';
import { netnsDirs, podNamespaces } from './namespaces.ts';
import { maxPodsLine, type PodsAnswer, parsePodsRequest } from './request.ts';

/**
 * `hairpin agent pods [--socket PATH] [--netns-dir DIR]… [--idle-ms MS]`: closes named sockets inside pods. Started by
 * systemd with the socket's first connection; ends when nobody has asked for `--idle-ms`.
 */
export async function podsVerb(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      socket: { type: 'string', default: agentPaths.podsSocket },
      'netns-dir': { type: 'string', multiple: true, default: [...netnsDirs] },
      'idle-ms': { type: 'string', default: '30000' },
    },
  });
  const log = (text: string) => void process.stdout.write(`${text}\n`);
  const fd = inheritedSocket(process.env, process.pid);
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  const idle = setTimeout(() => stop.abort(), Number(values['idle-ms']));
  const handle = async (line: string): Promise<string> => {
    idle.refresh();
    const request = parsePodsRequest(line);
    if (typeof request === 'string') {
      log(`refused a request: ${request}`);
      return JSON.stringify({ ok: false, problem: request } satisfies PodsAnswer);
    }
    if (request.op === 'hold-test') {
      const holds = readHoldTest(await runTool(holdTestArgv([]), { timeoutMs: holdTestMs }));
      const answer: PodsAnswer = typeof holds === 'string' ? { ok: false, problem: holds } : { ok: true, holds };
      return JSON.stringify(answer);
    }
    const start = performance.now();
    const answer = await closeInPods(request.flows, await podNamespaces(values['netns-dir']), runTool);
    const ms = Math.round(performance.now() - start);
    log(
      answer.ok && 'closed' in answer
        ? `closed ${answer.closed} of ${request.flows.length} sockets in ${ms} ms`
        : JSON.stringify(answer),
    );
    idle.refresh();
    return JSON.stringify(answer);
  };
  const server = await serveLines({
    at: fd === undefined ? { path: values.socket, group: undefined } : { fd },
    handle,
    maxLine: maxPodsLine,
    maxConnections: 4,
  });
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearTimeout(idle);
  server.close();
  // A connection that is open holds the process no longer than systemd would wait.
  process.exit(0);
}
