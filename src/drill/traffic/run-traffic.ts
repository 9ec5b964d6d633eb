import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type ClockOffset, type ClockSample, monotonicMs, offsetFrom, translator } from '../history/clock.ts';
import type { DrillRecord } from '../history/record.ts';
import { translate } from '../history/translate.ts';
import type { TrafficConfig, TrafficReply } from './config.ts';

/** The program as it is in a checkout; a node without one is sent a bundle of it. */
export const trafficProgram = fileURLToPath(new URL('./traffic.main.ts', import.meta.url));

export interface TrafficOptions {
  /**
   * The argv on this machine that runs the program with one argument inside the client's network: through `nsenter` in
   * the lab, through `ssh` elsewhere.
   */
  readonly argv: (config: string) => readonly string[];
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
  /** Stops and waits for the last records; also reports when the process ended before. */
  stop(): Promise<void>;
}

/** Records of another clock are kept until its drift is known; within this, clocks are taken as one and records passed on at once. */
const sameClockMs = 1;

/** Starts the process for the traffic of one client class; resolves when its clock is known. The traffic waits for `go`. */
export async function startTraffic(opts: TrafficOptions): Promise<Traffic> {
  const { config } = opts;
  const [file = '', ...args] = opts.argv(JSON.stringify(config));
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  child.stdin.on('error', () => undefined);
  const answers = new Map<number, (theirs: number, receivedAt: number) => void>();
  const held: DrillRecord[] = [];
  let translated: ((record: DrillRecord) => void) | undefined;
  let ready: () => void = () => undefined;
  const running = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    const receivedAt = monotonicMs();
    const said = JSON.parse(line) as DrillRecord | TrafficReply;
    if (said.is === 'clock') answers.get(said.id)?.(said.at, receivedAt);
    else if (said.is === 'ready') ready();
    else if (translated === undefined) held.push(said);
    else translated(said);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, by) => resolve(code === 0 ? '' : `ended with ${by ?? code}: ${stderr.trim()}`));
  });
  const kill = () => child.kill('SIGTERM');
  opts.signal.addEventListener('abort', kill, { once: true });

  const early = ended.then((why) => {
    throw new Error(`The traffic of ${config.client} did not start: ${why || 'it ended at once'}`);
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
      child.stdin.write(`${JSON.stringify({ op: 'clock', id })}\n`);
      const sample = await within(answer, 2000);
      if (sample !== undefined) samples.push(sample);
    }
    return offsetFrom(samples);
  };

  const begun = await within(Promise.race([running.then(() => true), early]), opts.startTimeout ?? 15_000);
  if (begun === undefined) {
    kill();
    throw new Error(`The traffic of ${config.client} did not start in time: ${stderr.trim()}`);
  }
  const first = await measure();
  if (first === undefined) {
    kill();
    throw new Error(`The traffic of ${config.client} does not tell its time`);
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
    go: () => void child.stdin.write(`${JSON.stringify({ op: 'go' })}\n`),
    async stop() {
      opts.signal.removeEventListener('abort', kill);
      if (!same) passOn(translator(first, (await measure()) ?? first));
      child.stdin.end(`${JSON.stringify({ op: 'stop' })}\n`);
      const why = await within(ended, 20_000);
      if (why === undefined) {
        child.kill('SIGKILL');
        throw new Error(`The traffic of ${config.client} did not stop`);
      }
      if (why !== '') throw new Error(`The traffic of ${config.client} ${why}`);
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
