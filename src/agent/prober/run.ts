import { readFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { BadSpecError, OperatorError } from '../../errors/operator-error.ts';
import { readAgentConfig } from '../config/read-config.ts';
import { openLog } from '../log/log.ts';
import type { AgentMetrics } from '../metrics/metrics.ts';
import { serveStatus } from '../status/serve.ts';
import { openNotifier } from './notify.ts';
import { startProber } from './prober.ts';

/** Paths; `agentPaths` has those of a node. */
export interface RunProberOptions {
  readonly configFile: string;
  readonly steererSocket: string;
  readonly statusSocket: string;
  /** Of membership.json. */
  readonly state: string;
  readonly drainFile: string;
  /** Names the program that runs, for the status. */
  readonly program: string;
}

/**
 * `hairpin agent run`: the prober as a service. Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again.
 * Throws `BadSpecError` for a configuration that cannot be used at start. Leaves the steering table alone when it ends:
 * its elements lapse within 3 s, and a successor finds it.
 */
export async function runProber(opts: RunProberOptions): Promise<void> {
  const startedAt = performance.now();
  const stop = new AbortController();
  const { signal } = stop;
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort());
  // Before there is a handler, SIGHUP would end the process.
  let hangup = () => {};
  process.on('SIGHUP', () => hangup());

  const text = await readFile(opts.configFile, 'utf8').catch((error: unknown) => {
    const message = `${opts.configFile} cannot be read`;
    throw new OperatorError('FILE_MISSING', message, {
      cause: error,
      hint: 'hairpin up or hairpin agent install writes it',
    });
  });
  const read = await readAgentConfig(text, opts.configFile);
  if (!read.ok) throw new BadSpecError(read.diagnostics);

  const log = openLog('prober');
  const notify = openNotifier(process.env, (problem) => log.warn({}, problem));
  const { config } = read;
  log.info(
    { program: opts.program, node: config.node.name, role: config.node.role, sha256: read.checksum },
    config.steer
      ? `steering ${config.node.name} to ${config.endpoint.host}:${config.endpoint.port} begins`
      : `${config.node.name} keeps the balancer: the configuration says not to steer`,
  );

  let metrics: AgentMetrics | undefined;
  const prober = await startProber({
    config,
    sha256: read.checksum,
    configFile: opts.configFile,
    steererSocket: opts.steererSocket,
    drainFile: opts.drainFile,
    membershipFile: join(opts.state, 'membership.json'),
    program: opts.program,
    log,
    signal,
    now: () => performance.now(),
    random: Math.random,
    events: {
      rtt: (backend, ms) => metrics?.events.rtt?.(backend, ms),
      change: (change, reason) => metrics?.events.change?.(change, reason),
      reset: (backend, flows) => metrics?.events.reset?.(backend, flows),
      renewed: (result) => metrics?.events.renewed?.(result),
      started: () => {
        log.info(
          { ms: Math.round(performance.now() - startedAt) },
          'ready: nothing that starts after this waits for an apiserver',
        );
        notify.ready(`steering ${config.endpoint.host}:${config.endpoint.port}`);
      },
    },
  });

  const servers: Server[] = [];
  let metricsServer: Server | undefined;
  /** A status or metrics that cannot be served is said, and is no reason not to steer. */
  const serve = async (what: string, start: () => Promise<Server>): Promise<Server | undefined> => {
    try {
      return await start();
    } catch (error) {
      log.error({}, `${what} cannot be served: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const statusServer = await serve(`the status at ${opts.statusSocket}`, () =>
    serveStatus(opts.statusSocket, prober.status),
  );
  if (statusServer !== undefined) servers.push(statusServer);
  let metricsPort: number | undefined;
  const serveMetricsAsConfigured = async () => {
    const port = prober.config().metrics?.port;
    if (port === metricsPort) return;
    metricsServer?.close();
    metricsServer?.unref();
    metricsServer = undefined;
    metricsPort = port;
    if (port === undefined) return;
    // Loaded only where somebody scrapes.
    const [{ agentMetrics }, { serveMetrics }] = await Promise.all([
      import('../metrics/metrics.ts'),
      import('../metrics/serve.ts'),
    ]);
    metrics ??= agentMetrics(prober.status);
    const made = metrics;
    metricsServer = await serve(`metrics on 127.0.0.1:${port}`, () => serveMetrics(port, () => made.text()));
  };
  await serveMetricsAsConfigured();

  hangup = () => {
    void (async () => {
      await prober.reload();
      await serveMetricsAsConfigured();
      notify.ready(`steering ${prober.config().endpoint.host}:${prober.config().endpoint.port}`);
    })();
  };

  const watchdog = notify.watchdogMs === undefined ? undefined : setInterval(() => notify.alive(), notify.watchdogMs);
  await prober.done;
  notify.stopping();
  clearInterval(watchdog);
  for (const server of servers) server.close();
  metricsServer?.close();
  log.info({}, 'stopped: the steering table is left as it is and lapses to the balancer within 3 s');
  log.flush();
}
