import type { Address } from '../std/address.ts';

/** What the facts are wanted for; the same for all nodes but `nodeAddress`. */
export interface Ask {
  readonly endpointAddresses: readonly Address[];
  /** Names whose resolution on the node matters: the endpoint's domain. */
  readonly endpointNames: readonly string[];
  readonly endpointPort: number;
  readonly apiServerPort: number;
  /** The node's primary address: where its own apiserver is asked. */
  readonly nodeAddress: Address | undefined;
  /** Files whose hash, mode and owner are wanted. */
  readonly files: readonly string[];
  /** systemd units that are wanted besides the usual ones. */
  readonly units: readonly string[];
}

export const emptyAsk: Ask = {
  endpointAddresses: [],
  endpointNames: [],
  endpointPort: 6443,
  apiServerPort: 6443,
  nodeAddress: undefined,
  files: [],
  units: [],
};

/**
 * One thing to look for: a piece of POSIX sh and the parser of what it prints. All pieces run in one script on the node,
 * each in a subshell, as root, without standard input; they change nothing and need no tool that a bare Debian lacks, or say so. A piece
 * that exits with a code other than 0 means *unknown*, and its last line of output is the reason. Parsers are pure and
 * throw `SyntaxError` for what they do not understand.
 */
export interface Probe<T> {
  script(ask: Ask): string;
  parse(text: string, ask: Ask): T;
}

/** Text in sections that start with `@title`, as scripts print them. */
export function sections(text: string): { readonly title: string; readonly body: string }[] {
  const found: { title: string; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('@')) found.push({ title: line.slice(1), lines: [] });
    else found.at(-1)?.lines.push(line);
  }
  return found.map(({ title, lines }) => ({ title, body: lines.join('\n') }));
}

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
