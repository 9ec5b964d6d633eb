import type { Ask } from './probe.ts';
import { probes } from './probes/index.ts';
import type { Fact, NodeFacts } from './types.ts';

export type ProbeName = keyof typeof probes;

export const probeNames = Object.keys(probes) as readonly ProbeName[];

/**
 * All probes as one script: each runs in a subshell between two marks, so that one that fails or prints nonsense spoils
 * only itself.
 */
export function factsScript(ask: Ask, wanted: readonly ProbeName[] = probeNames): string {
  return [
    'umask 077',
    // kubeadm, kubelet and kubectl live for a moment: collecting garbage is a third of what they do.
    'export GOGC=400 GOMAXPROCS=1',
    'exec </dev/null 2>/dev/null',
    `probe_end() { printf '\\n\\036end %s\\n' "$1"; }`,
    ...wanted.map((name) => {
      return `printf '\\036begin ${name}\\n'\n(\n${probes[name].script(ask)}\n)\nprobe_end $?`;
    }),
  ].join('\n');
}

export type ScriptFacts = Omit<NodeFacts, 'clock'>;

/** Reads what `factsScript` printed. A probe without an end mark was cut off. */
export function parseFacts(text: string, ask: Ask): ScriptFacts {
  const outputs = new Map<string, { body: string; code: number | undefined }>();
  for (const part of text.split('\x1ebegin ').slice(1)) {
    const newline = part.indexOf('\n');
    const end = part.indexOf('\n\x1eend ');
    const code = /^\d+/.exec(part.slice(end + 6))?.[0];
    const body = part.slice(newline + 1, end === -1 ? part.length : Math.max(end, newline + 1));
    outputs.set(part.slice(0, newline), { body, code: end === -1 || code === undefined ? undefined : Number(code) });
  }
  return Object.fromEntries(
    probeNames.map((name) => [name, factOf(name, outputs.get(name), ask)]),
  ) as unknown as ScriptFacts;
}

function factOf(
  name: ProbeName,
  output: { body: string; code: number | undefined } | undefined,
  ask: Ask,
): Fact<unknown> {
  if (output?.code === undefined) return { is: 'unknown', reason: 'the node did not get that far' };
  if (output.code !== 0) {
    const last = output.body.trim().split('\n').at(-1) ?? '';
    return { is: 'unknown', reason: last === '' ? `the ${name} probe ended with ${output.code}` : last };
  }
  try {
    return { is: 'known', value: probes[name].parse(output.body, ask) };
  } catch (error) {
    return { is: 'unknown', reason: `not understood: ${error instanceof Error ? error.message : String(error)}` };
  }
}
