import { netnsPath } from '../topology/names.ts';

/** One command of this machine, as data. */
export interface LabCommand {
  readonly argv: readonly string[];
  readonly stdin?: string;
}

/** Commands that do not depend on each other and run at once; batches run one after the other. */
export interface Batch {
  readonly title: string;
  readonly commands: readonly LabCommand[];
}

/**
 * Many `ip` lines as one process: one start instead of dozens is what brings a lab up in a moment. Stops at the first
 * line that fails and names it.
 */
export function ipBatch(netns: string | undefined, lines: readonly string[]): LabCommand[] {
  if (lines.length === 0) return [];
  const where = netns === undefined ? [] : ['-n', netns];
  return [{ argv: ['ip', ...where, '-batch', '-'], stdin: `${lines.join('\n')}\n` }];
}

/** Runs `argv` with the network of the namespace; everything else stays the caller's. */
export function inNetns(netns: string, argv: readonly string[]): readonly string[] {
  return ['nsenter', `--net=${netnsPath(netns)}`, '--', ...argv];
}

/**
 * Sysctls of one namespace. Only ones that every network namespace has its own copy of may be given. `optional`: skips
 * those that this kernel does not have.
 */
export function sysctls(
  netns: string,
  values: Readonly<Record<string, string | number>>,
  opts: { readonly optional?: boolean } = {},
): LabCommand[] {
  const settings = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  const flags = opts.optional === true ? ['-q', '-e', '-w'] : ['-q', '-w'];
  return settings.length === 0 ? [] : [{ argv: inNetns(netns, ['sysctl', ...flags, ...settings]) }];
}

export function nft(netns: string, ruleset: string): LabCommand {
  return { argv: inNetns(netns, ['nft', '-f', '-']), stdin: ruleset };
}
