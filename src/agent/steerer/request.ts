import { type Address, parseAddress, unreachableKind } from '../../std/address.ts';
import type { SteererRequest } from './protocol.ts';

/** A request whose addresses are addresses. Which of them are allowed depends on the configuration (`allowed.ts`). */
export type ParsedRequest =
  | { readonly op: 'ensure'; readonly endpoints: readonly Address[] }
  | {
      readonly op: 'steer';
      readonly backends: readonly Address[];
      readonly hold: boolean;
      readonly away: readonly Address[] | undefined;
    }
  | { readonly op: 'reset'; readonly backend: Address }
  | { readonly op: 'credentials' }
  | { readonly op: 'fresh' }
  | { readonly op: 'status' };

/** The longest line that a request can be: twice 64 addresses of 45 characters, quoted, and some words. */
export const maxRequestBytes = 8192;
const maxAddresses = 64;

/**
 * Reads one line. By hand and not with the schema of protocol.ts: the schema's library would be a third of the steerer's
 * memory. `test/unit/agent/steerer/request.test.ts` holds the two together. A text for what is wrong, never an exception.
 */
export function parseRequest(line: string): ParsedRequest | string {
  const value = parseJson(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  const request = value as Readonly<Record<string, unknown>>;
  const op = request.op as SteererRequest['op'];
  switch (op) {
    case 'ensure': {
      const endpoints = addresses(request.endpoints, 'endpoints');
      if (typeof endpoints === 'string') return endpoints;
      return onlyKeys(request, ['op', 'endpoints']) ?? { op, endpoints };
    }
    case 'steer': {
      const backends = addresses(request.backends, 'backends');
      if (typeof backends === 'string') return backends;
      if (typeof request.hold !== 'boolean') return 'hold: not a boolean';
      const away = request.away === undefined ? undefined : addresses(request.away, 'away');
      if (typeof away === 'string') return away;
      return onlyKeys(request, ['op', 'backends', 'hold', 'away']) ?? { op, backends, hold: request.hold, away };
    }
    case 'reset': {
      const backend = oneAddress(request.backend);
      if (backend === undefined) return 'backend: not an IP address in canonical form';
      return onlyKeys(request, ['op', 'backend']) ?? { op, backend };
    }
    case 'credentials':
    case 'fresh':
    case 'status':
      return onlyKeys(request, ['op']) ?? { op };
    default:
      return 'op: not one that is known';
  }
}

function addresses(value: unknown, name: string): readonly Address[] | string {
  if (!Array.isArray(value)) return `${name}: not a list`;
  if (value.length > maxAddresses) return `${name}: more than ${maxAddresses}`;
  const parsed = value.map(oneAddress);
  const all = parsed.filter((a) => a !== undefined);
  if (all.length !== parsed.length) return `${name}: not all are IP addresses in canonical form`;
  return all.filter((a, i) => all.findIndex((b) => b.text === a.text) === i);
}

function oneAddress(value: unknown): Address | undefined {
  if (typeof value !== 'string' || value.length > 45) return undefined;
  const parsed = parseAddress(value);
  return parsed?.text === value && unreachableKind(parsed) === undefined ? parsed : undefined;
}

function onlyKeys(request: Readonly<Record<string, unknown>>, keys: readonly string[]): string | undefined {
  const unknown = Object.keys(request).find((key) => !keys.includes(key));
  return unknown === undefined ? undefined : 'a word that is not known';
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
