import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '../../errors/operator-error.ts';
import { agentPaths, agentUser } from '../config/paths.ts';
import { askHoldTest, closePodFlows } from '../pods/client.ts';
import { readCredentials } from './credentials.ts';
import { followFresh, followProgram } from './fresh.ts';
import { learnHold } from './hold.ts';
import { serveLines } from './line-server.ts';
import { maxRequestBytes, parseRequest } from './request.ts';
import { runTool, WarmNft } from './run-tool.ts';
import { parseSettings, type Settings } from './settings.ts';
import { createSteerer } from './steerer.ts';
import { inheritedSocket } from './systemd.ts';
import { findUser } from './user.ts';

/** How often routes, uplinks and tables are looked at without being asked. */
const tendMs = 30_000;

/**
 * `hairpin agent steerer [--config FILE] [--socket PATH] [--pods-socket PATH] [--prober-uid UID]`, until SIGTERM or SIGINT;
 * SIGHUP reads the configuration again. Ending it changes nothing: the tables stay, and the kernel lets steering lapse.
 */
export async function steererVerb(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string', default: agentPaths.config },
      socket: { type: 'string', default: agentPaths.steererSocket },
      'pods-socket': { type: 'string', default: agentPaths.podsSocket },
      /** Instead of that of the user `hairpin`. */
      'prober-uid': { type: 'string' },
    },
  });
  const log = (text: string) => void process.stdout.write(`${text}\n`);
  let settings = await readSettings(values.config);
  const user = values['prober-uid'] === undefined ? await findUser(agentUser, runTool) : undefined;
  const proberUid = user?.uid ?? Number(values['prober-uid']);
  if (!Number.isInteger(proberUid) || proberUid < 0) {
    throw new OperatorError('AGENT_CONFIG', `There is no user ${agentUser} on this machine`, {
      hint: 'hairpin up and hairpin agent install make it',
    });
  }
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  process.on('SIGHUP', () => {
    readSettings(values.config).then(
      (read) => {
        settings = read;
        log('configuration read again');
      },
      (error: unknown) => log(`${textOf(error)}; the one before stays in force`),
    );
  });

  using fresh = followFresh({ follow: followProgram, log });
  using nft = new WarmNft();
  nft.warm();
  const steerer = createSteerer({
    settings: () => settings,
    run: runTool,
    transact: (text) => nft.apply(text),
    proberUid,
    hold: learnHold({
      file: join(dirname(values.socket), 'hold'),
      kernel: release(),
      ask: () => askHoldTest(values['pods-socket']),
      run: runTool,
      log,
    }),
    pods: (flows) => closePodFlows(values['pods-socket'], flows),
    fresh: (endpoints, port) => fresh.next(endpoints, port),
    credentials: readCredentials,
    log,
    now: () => performance.now(),
    random: Math.random,
    firstEpoch: Date.now(),
  });
  const fd = inheritedSocket(process.env, process.pid);
  const server = await serveLines({
    at: fd === undefined ? { path: values.socket, group: user?.gid } : { fd },
    handle: async (line) => {
      const request = parseRequest(line);
      if (typeof request === 'string') {
        log(`refused a request: ${request}`);
        return JSON.stringify({ ok: false, problem: request });
      }
      const answer = await steerer.handle(request);
      if (!answer.ok) log(`${request.op}: ${answer.problem}`);
      return JSON.stringify(answer);
    },
    maxLine: maxRequestBytes,
    maxConnections: 8,
  });
  const timer = setInterval(() => void steerer.tend(), tendMs);
  log(`ready on ${fd === undefined ? values.socket : 'the socket of systemd'}`);
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(timer);
  fresh[Symbol.dispose]();
  server.close();
  process.exit(0);
}

async function readSettings(path: string): Promise<Settings> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new OperatorError('AGENT_CONFIG', `Cannot read ${path}`, {
      cause,
      hint: 'hairpin up and hairpin agent install write it',
    });
  });
  return parseSettings(text, path);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
