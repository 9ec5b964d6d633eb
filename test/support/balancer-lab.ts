import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readBalancerStatus } from '../../src/lab/balancer/client.ts';
import type { BalancerStatus } from '../../src/lab/balancer/status.ts';
import { type Lab, startLab } from '../../src/lab/runtime/start-lab.ts';
import { balancerCatalog } from '../../src/lab/spec/catalog.ts';
import type { LabInput } from '../../src/lab/spec/input.ts';
import { resolveLab } from '../../src/lab/spec/resolve.ts';

const dialer = fileURLToPath(new URL('./dial.main.ts', import.meta.url));
const flower = fileURLToPath(new URL('./flow.main.ts', import.meta.url));

export interface Outcome {
  /** The machine that answered, or `timeout`, `refused`, an error code. */
  readonly is: string;
  readonly ms: number;
}

/** A wire-tier lab whose name starts with `bal-`; throws for an input that has problems. */
export async function wireLab(input: LabInput): Promise<Lab> {
  const resolved = resolveLab({ tier: 'wire', ...input }, balancerCatalog());
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  return await startLab(resolved.spec);
}

/** Waits until exactly these backends get new connections. */
export async function untilInRotation(lab: Lab, names: readonly string[], timeout = 20_000): Promise<BalancerStatus> {
  const end = performance.now() + timeout;
  for (;;) {
    const status = await readBalancerStatus(lab.cx.paths);
    const now = status.backends.filter((b) => b.inRotation).map((b) => b.name);
    if (now.join() === names.join()) return status;
    if (performance.now() > end)
      throw new Error(`In rotation after ${timeout} ms: ${now.join(', ')}; wanted ${names.join(', ')}`);
    await sleep(20);
  }
}

/** Dials the endpoint (or `host`) `tries` times at once from inside a machine or pod. */
export async function dial(
  lab: Lab,
  from: string,
  opts: { host?: string; tries: number; connectMs?: number },
): Promise<readonly Outcome[]> {
  const { endpoint } = lab.spec;
  const wanted = {
    host: opts.host ?? endpoint.addresses[0]?.text,
    port: endpoint.port,
    tries: opts.tries,
    connectMs: opts.connectMs ?? 500,
  };
  const result = await lab.exec(from, [process.execPath, dialer, JSON.stringify(wanted)]);
  if (result.exitCode !== 0) throw new Error(`dialling from ${from}: ${result.stderr}`);
  return JSON.parse(result.stdout) as Outcome[];
}

/** `m1 10, m2 10, timeout 10`: how often each outcome was seen, names in order. */
export function tally(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const { is } of outcomes) counts.set(is, (counts.get(is) ?? 0) + 1);
  return [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([is, count]) => `${is} ${count}`)
    .join(', ');
}

export interface FlowLine {
  readonly at: number;
  /** The machine that answered; the last line is `alive`, `reset` or `closed`. */
  readonly is: string;
}

/** Keeps one connection busy from inside a machine; `lines` grows while `ended` is pending. */
export function flow(lab: Lab, from: string, opts: { forMs: number; everyMs?: number }) {
  const { endpoint } = lab.spec;
  const wanted = {
    host: endpoint.addresses[0]?.text,
    port: endpoint.port,
    everyMs: opts.everyMs ?? 50,
    forMs: opts.forMs,
  };
  const lines: FlowLine[] = [];
  const ended = lab.exec(from, [process.execPath, flower, JSON.stringify(wanted)], {
    onLine: (stream, line) => {
      if (stream === 'stdout') lines.push(JSON.parse(line) as FlowLine);
    },
  });
  return {
    lines,
    /** Waits for the first answer and gives the machine that this connection is to. */
    async machine(): Promise<string> {
      const limit = performance.now() + 10_000;
      while (lines[0] === undefined) {
        if (performance.now() > limit) throw new Error(`No answer to the flow from ${from} within 10 s`);
        await sleep(10);
      }
      return lines[0].is;
    },
    /** How it ended, and when. */
    async end(): Promise<FlowLine> {
      await ended;
      const last = lines.at(-1);
      if (last === undefined) throw new Error(`The flow from ${from} said nothing`);
      return last;
    },
  };
}

/** The process of a master's stand-in, as the lab that started it has written down. */
export async function standinPid(lab: Lab, machine: string): Promise<number> {
  const file = join(lab.cx.paths.daemons, `standin-${machine}.json`);
  return (JSON.parse(await readFile(file, 'utf8')) as { pid: number }).pid;
}

/** Every packet to and from the machine is dropped, without a word, until the returned function is called. */
export async function silence(lab: Lab, machine: string): Promise<() => Promise<void>> {
  const chain = (hook: string) => `chain ${hook} { type filter hook ${hook} priority -300; policy drop; }`;
  const rules = `table inet silence {\n${chain('input')}\n${chain('output')}\n${chain('forward')}\n}\n`;
  await must(lab, machine, ['nft', '-f', '-'], rules);
  return async () => must(lab, machine, ['nft', 'delete', 'table', 'inet', 'silence']);
}

async function must(lab: Lab, machine: string, argv: readonly string[], stdin?: string): Promise<void> {
  const result = await lab.exec(machine, argv, stdin === undefined ? {} : { stdin });
  if (result.exitCode !== 0) throw new Error(`${argv.join(' ')} on ${machine}: ${result.stderr}`);
}
