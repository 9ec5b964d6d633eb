import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../src/drill/history/clock.ts';
import type { DrillRecord, Mark } from '../../src/drill/history/record.ts';
import { throughCommand, trafficProgram } from '../../src/drill/traffic/channel.ts';
import type { TrafficConfig } from '../../src/drill/traffic/config.ts';
import { startTraffic, type Traffic } from '../../src/drill/traffic/run-traffic.ts';
import { trafficArgv } from '../../src/lab/drill/traffic-argv.ts';
import { pkiFiles } from '../../src/lab/pki/pki.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';

/** What a client of a lab does unless it is told otherwise, and whom it dials instead of the endpoint; leave parts out with `undefined`. */
export type TrafficWanted = Partial<
  Pick<TrafficConfig, 'host' | 'serverName' | 'connections' | 'kept' | 'watches' | 'operations'>
>;

export const usualTraffic = {
  connections: { perSecond: 50, patienceMs: 2000, path: '/readyz' },
  watches: { count: 3, path: '/api/v1/namespaces/lab/configmaps' },
} satisfies TrafficWanted;

/**
 * Traffic to the endpoint from inside machines and pods of a wire-tier lab, and everything it sees, as one history. Stops
 * when it goes out of scope.
 */
export async function recordTraffic(
  lab: Lab,
  clients: Readonly<Record<string, TrafficWanted>>,
): Promise<
  AsyncDisposable & {
    readonly history: DrillRecord[];
    mark(what: Mark['what'], text?: string): void;
    /** Lets the traffic run for so long. */
    run(ms: number): Promise<void>;
    /** Stops all traffic; the history is whole after that. */
    stop(): Promise<readonly DrillRecord[]>;
  }
> {
  const history: DrillRecord[] = [];
  const mark = (what: Mark['what'], text = '') => void history.push({ is: 'mark', at: monotonicMs(), what, text });
  const abort = new AbortController();
  const running: Traffic[] = await Promise.all(
    Object.entries(clients).map(([client, wanted]) =>
      startTraffic({
        channel: throughCommand((config) => trafficArgv(lab.cx, client, [process.execPath, trafficProgram, config])),
        config: labTraffic(lab, client, wanted),
        onRecord: (record) => history.push(record),
        signal: abort.signal,
      }),
    ),
  );
  for (const traffic of running) traffic.go();
  // The first handshakes of a process are slow ones.
  await sleep(500);
  mark('begin');
  let stopped = false;
  return {
    history,
    mark,
    run: (ms) => sleep(ms),
    async stop() {
      stopped = true;
      // A test that heals before it stops says itself where the end is.
      if (!history.some((record) => record.is === 'mark' && record.what === 'end')) mark('end');
      const problems = await Promise.all(running.map((traffic) => traffic.stop()));
      const found = problems.filter((problem) => problem !== undefined);
      if (found.length > 0) throw new Error(found.join('; '));
      return history;
    },
    async [Symbol.asyncDispose]() {
      if (!stopped) abort.abort();
    },
  };
}

function labTraffic(lab: Lab, client: string, wanted: TrafficWanted): TrafficConfig {
  const { endpoint } = lab.spec;
  return {
    client,
    host: endpoint.domain ?? endpoint.addresses[0]?.text ?? '',
    port: endpoint.port,
    caFile: pkiFiles(lab.cx.paths).caFile,
    servers: 'header',
    ...wanted,
  };
}
