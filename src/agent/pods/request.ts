import { parseAddress } from '../../std/address.ts';
import type { Flow } from '../steerer/flows.ts';

/**
 * What the steerer may ask of the pods process (CAP_SYS_ADMIN and CAP_NET_ADMIN): first of all to close sockets that it
 * names by all four values. One JSON object a line, one answer a line: `{"ok":true,"closed":2}` or `{"ok":false,"problem":"…"}`.
 */
export type PodsRequest =
  | { readonly op: 'close'; readonly flows: readonly Flow[] }
  /** Whether held refusals move to another backend on this kernel: that is tried in a namespace made for it. */
  | { readonly op: 'hold-test' };

export type PodsAnswer =
  | { readonly ok: true; readonly closed: number }
  | { readonly ok: true; readonly holds: boolean }
  | { readonly ok: false; readonly problem: string };

/** Flows in one request: what one `ss` filter takes (steerer/flows.ts). */
export const maxFlows = 400;
/** 400 flows of two 45-character addresses and two ports, with their words. */
export const maxPodsLine = 128 * 1024;

/** Flows travel as `[source, port, destination, port]`. */
export function printPodsRequest(request: PodsRequest): string {
  if (request.op === 'hold-test') return JSON.stringify(request);
  const tuples = request.flows.map((f) => [f.source.text, f.sourcePort, f.destination.text, f.destinationPort]);
  return JSON.stringify({ op: request.op, flows: tuples });
}

/** Reads one line; a text for what is wrong with it. */
export function parsePodsRequest(line: string): PodsRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'not an object';
  const { op, flows, ...others } = value as Readonly<Record<string, unknown>>;
  if (Object.keys(others).length > 0) return 'a word that is not known';
  if (op === 'hold-test') return flows === undefined ? { op } : 'a word that is not known';
  if (op !== 'close') return 'op: not one that is known';
  if (!Array.isArray(flows) || flows.length > maxFlows) return `flows: not a list of at most ${maxFlows}`;
  const parsed = flows.map(parseFlow).filter((flow) => flow !== undefined);
  return parsed.length === flows.length
    ? { op, flows: parsed }
    : 'flows: not all are [source, port, destination, port]';
}

function parseFlow(value: unknown): Flow | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  const [src, sourcePort, dst, destinationPort] = value as readonly unknown[];
  const source = typeof src === 'string' ? parseAddress(src) : undefined;
  const destination = typeof dst === 'string' ? parseAddress(dst) : undefined;
  if (source === undefined || destination === undefined || source.family !== destination.family) return undefined;
  return isPort(sourcePort) && isPort(destinationPort)
    ? { source, sourcePort, destination, destinationPort }
    : undefined;
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}
