import { readFile } from 'node:fs/promises';
import type { Evidence } from '../backend/backend.ts';
import type { Beat } from '../beat.ts';
import type { AgentConfig } from '../config/config.ts';
import { type Log, onlyChanges } from '../log/log.ts';
import { type Connection, keepProbing, type ProbeTarget } from './connection.ts';
import type { ProbeTiming } from './timing.ts';

/** One member that is asked, and what became of that. */
export interface Probe {
  readonly address: string;
  connection: Connection | undefined;
  /** The last thing that went wrong. */
  trouble: { readonly text: string; readonly at: number } | undefined;
  /** Of the last change of state. */
  reason: string | undefined;
}

export interface ProbesContext {
  readonly config: () => AgentConfig;
  readonly credentials: NonNullable<ProbeTarget['credentials']>;
  readonly timing: (name: string) => ProbeTiming;
  readonly seen: (name: string, seen: Evidence) => void;
  /** An apiserver did not take the certificate. */
  readonly refused: () => void;
  readonly log: Log;
  readonly beat: Beat;
  readonly now: () => number;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** One kept connection to each member, begun and ended as members come and go. */
export interface Probes {
  /**
   * Exactly these are asked from now on, by name and address; those that stay as they are keep their connection. `why` for
   * the log.
   */
  follow(wanted: ReadonlyMap<string, string>, why: string): void;
  /** By name; changes as members come and go. */
  readonly running: ReadonlyMap<string, Probe>;
}

interface Running extends Probe {
  /** What a change of needs another connection. */
  readonly key: string;
  readonly stop: AbortController;
}

export function openProbes(cx: ProbesContext): Probes {
  const { log, signal, now, random } = cx;
  const probes = new Map<string, Running>();

  const keyOf = (address: string): string => {
    const { apiServerPort, endpoint } = cx.config();
    return `${address} ${apiServerPort} ${endpoint.host}`;
  };

  const start = (name: string, address: string, why: string) => {
    const stop = new AbortController();
    const probe: Running = {
      address,
      key: keyOf(address),
      stop,
      connection: undefined,
      trouble: undefined,
      reason: undefined,
    };
    probes.set(name, probe);
    log.info({ backend: name, address }, `${name} is asked at ${address}: ${why}`);
    const say = onlyChanges((text) => {
      if (text !== undefined) log.info({ backend: name }, `${name}: ${text}`);
    });
    const { apiServerPort, endpoint } = cx.config();
    const target: ProbeTarget = {
      address,
      port: apiServerPort,
      endpoint: endpoint.host,
      ca: () => readCa(cx.config().ca),
      credentials: cx.credentials,
    };
    void keepProbing(
      target,
      {
        evidence: (seen) => {
          if (probes.get(name) === probe) cx.seen(name, seen);
        },
        trouble: (text) => {
          probe.trouble = { text, at: now() };
          say(text);
          if (text.includes('said 401')) cx.refused();
        },
        connected: (connection) => {
          probe.connection = connection;
        },
      },
      { timing: () => cx.timing(name), beat: cx.beat, signal: AbortSignal.any([signal, stop.signal]), now, random },
    );
  };

  return {
    follow(wanted, why) {
      for (const [name, probe] of probes) {
        const address = wanted.get(name);
        if (address !== undefined && probe.key === keyOf(address)) continue;
        probe.stop.abort();
        probes.delete(name);
        if (address === undefined) log.info({ backend: name }, `${name} is not asked any more: ${why}`);
      }
      for (const [name, address] of wanted) if (!probes.has(name)) start(name, address, why);
    },
    running: probes,
  };
}

/** The first of these files that is there. */
async function readCa(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Error(`the cluster's CA is not there yet (${paths.join(', ')})`);
}
