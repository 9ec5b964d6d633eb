import { PassThrough } from 'node:stream';
import { type ClockOffset, type ClockSample, monotonicMs, offsetFrom, translator } from '../history/clock.ts';
import type { DrillRecord } from '../history/record.ts';
import { translate } from '../history/translate.ts';
import type { TrafficChannel } from './channel.ts';
import type { TrafficConfig, TrafficReply, TrafficRequest } from './config.ts';

export interface TrafficOptions {
  readonly channel: TrafficChannel;
  readonly config: TrafficConfig;
  readonly onRecord: (record: DrillRecord) => void;
  readonly signal: AbortSignal;
  /** Milliseconds until it must have begun. */
  readonly startTimeout?: number;
}

export interface Traffic {
  readonly client: string;
  /** How far the times may be off, in milliseconds. */
  readonly clockErrorMs: number;
  /** Begins. */
  go(): void;
  /** Stops and waits for the last records. Gives why it ended before, when it did; its records up to then are there. */
  stop(): Promise<string | undefined>;
}

/** Records of another clock are kept until its drift is known; within this, clocks are taken as one and records passed on at once. */
const sameClockMs = 1;

/** Starts the process for the traffic of one client class; resolves when its clock is known. The traffic waits for `go`. */
export async function startTraffic(opts: TrafficOptions): Promise<Traffic> {
  const { config, channel } = opts;
  const about = `The traffic of ${config.client}`;
  const input = new PassThrough();
  const stopping = new AbortController();
  const signal = AbortSignal.any([opts.signal, stopping.signal]);
  const answers = new Map<number, (theirs: number, receivedAt: number) => void>();
  const held: DrillRecord[] = [];
  let lines = 0;
  let translated: ((record: DrillRecord) => void) | undefined;
  let ready: () => void = () => undefined;
  const running = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const hear = (line: string, receivedAt: number) => {
    const said = JSON.parse(line) as DrillRecord | TrafficReply;
    if (said.is === 'clock') {
      answers.get(said.id)?.(said.at, receivedAt);
      return;
    }
    lines += 1;
    if (said.is === 'ready') ready();
    else if (translated === undefined) held.push(said);
    else translated(said);
  };
  const ended = channel.run(JSON.stringify(config), {
    input,
    onLine: (line) => hear(line, monotonicMs()),
    signal,
  });
  const ask = (request: TrafficRequest) => void input.write(`${JSON.stringify(request)}\n`);

  const early = ended.then(({ problem }) => {
    throw new Error(`${about} did not start: ${problem ?? 'it ended at once'}`);
  });
  early.catch(() => undefined);
  let id = 0;
  const measure = async (): Promise<ClockOffset | undefined> => {
    const samples: ClockSample[] = [];
    for (let question = 0; question < 7; question += 1) {
      id += 1;
      const sentAt = monotonicMs();
      const answer = new Promise<ClockSample>((resolve) => {
        answers.set(id, (theirs, receivedAt) => resolve({ sentAt, theirs, receivedAt }));
      });
      ask({ op: 'clock', id });
      const sample = await within(answer, 2000);
      // Who is silent once is silent: a cut connection.
      if (sample === undefined) break;
      samples.push(sample);
    }
    return offsetFrom(samples);
  };

  const begun = await within(Promise.race([running.then(() => true), early]), opts.startTimeout ?? 15_000);
  const first = begun === undefined ? undefined : await measure();
  if (first === undefined) {
    stopping.abort();
    throw new Error(`${about} did not start in time`);
  }
  // The same clock, seen through pipes, is 0 within the error of the measurement.
  const same = Math.abs(first.offsetMs) <= Math.max(sameClockMs, first.errorMs);
  const passOn = (ours: (theirs: number) => number) => {
    translated = (record) => opts.onRecord(translate(record, ours));
    for (const record of held.splice(0)) translated(record);
  };
  if (same) passOn((at) => at);

  return {
    client: config.client,
    clockErrorMs: same ? 0 : first.errorMs,
    go: () => ask({ op: 'go' }),
    async stop() {
      if (!same) passOn(translator(first, (await measure()) ?? first));
      ask({ op: 'stop' });
      input.end();
      const end = await within(ended, config.spool === undefined ? 20_000 : 6000);
      if (end !== undefined && !end.lost) return end.problem;
      stopping.abort();
      const all = await channel.recover?.();
      if (all === undefined) return end?.problem ?? 'did not stop';
      // What came through the stream is the beginning of what was written down.
      for (const line of all.slice(lines)) hear(line, monotonicMs());
      return undefined;
    },
  };
}

async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
