import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../std/address.ts';
import type { SteererAnswer } from './answers.ts';
import { countLines, type Flow, flowsOf, parseFlows, socketFilters } from './flows.ts';
import type { RunTool } from './run-tool.ts';

export interface ResetOf {
  readonly backend: Address;
  readonly endpoints: readonly Address[];
  readonly port: number;
  readonly apiServerPort: number;
}

export interface ResetDeps {
  readonly run: RunTool;
  readonly pods: (flows: readonly Flow[]) => Promise<number | string>;
  readonly now: () => number;
  readonly random: () => number;
  /** Longest random wait before the first flow goes, in ms: thousands of workers must not come back at one moment. */
  readonly patience: number;
}

/** Flows that are destroyed without a pause: more than a node usually has. */
const atOnce = 400;
/**
 * The kernel picks these by itself; for the rest of the words `conntrack` looks at all of them. In a table of 250,000 entries
 * 0.2 s instead of 3.7 s. A flow that both sides have confirmed is one.
 */
const assured = ['--status', 'ASSURED'] as const;
/** Longest random pause between two batches, in ms: clients redial as soon as their flow is gone. */
const pauseMs = 50;

/**
 * Destroys the flows of a dead backend and nothing else: conntrack says which they are (by the reply tuple), the sockets
 * are closed by their exact four values, and where some could not be, the tracked entries are deleted, so that those end
 * with their next packet.
 */
export async function resetFlows(
  { backend, endpoints, port, apiServerPort }: ResetOf,
  { run, pods, now, random, patience }: ResetDeps,
): Promise<SteererAnswer<'reset'>> {
  const start = now();
  const filters = endpoints
    .filter((a) => a.family === backend.family)
    .map((endpoint) => flowsOf(endpoint, port, backend, apiServerPort));
  const listed = await Promise.all(
    filters.map((filter) => run(['conntrack', '-L', ...assured, ...filter], { timeoutMs: 10_000 })),
  );
  const failed = listed.find(({ code }) => code !== 0);
  if (failed !== undefined) {
    const why = failed.code === 127 ? 'conntrack is not installed' : `conntrack: ${failed.stderr}`;
    return { ok: false, problem: `flows to ${backend.text} are left to their own time-outs: ${why}` };
  }
  const flows = listed.flatMap(({ stdout }) => parseFlows(stdout));
  if (patience > 0) await sleep(random() * patience);
  // An endpoint that is local without being on an interface (a `local` route) is the source of the node's own flows to it.
  const local = new Set([...interfaceAddresses(), ...endpoints.map((a) => a.text)]);
  const own = flows.filter((flow) => local.has(flow.source.text));
  const others = flows.filter((flow) => !local.has(flow.source.text));
  const problems: string[] = [];
  const inPods = others.length === 0 ? 0 : pods(others);
  let node = 0;
  for (const [i, filter] of socketFilters(own, atOnce).entries()) {
    if (i > 0) await sleep(random() * pauseMs);
    const ran = await run(['ss', '--no-header', '--kill', '--tcp', '--numeric', filter]);
    if (ran.code === 0) node += countLines(ran.stdout);
    else problems.push(ran.code === 127 ? 'ss is not installed' : `ss: ${ran.stderr}`);
  }
  const killed = await inPods;
  if (typeof killed === 'string') problems.push(killed);
  const closed = node + (typeof killed === 'number' ? killed : 0);
  if (closed < flows.length) {
    await Promise.all(filters.map((filter) => run(['conntrack', '-D', ...filter], { timeoutMs: 10_000 })));
  }
  if (problems.length > 0) {
    const why = [...new Set(problems)].join('; ');
    return { ok: false, problem: `some flows to ${backend.text} end only with their next packet: ${why}` };
  }
  return { ok: true, node, pods: typeof killed === 'number' ? killed : 0, ms: Math.round(now() - start) };
}

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((infos) => (infos ?? []).map(({ address }) => address));
}
