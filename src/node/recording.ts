import { createHash } from 'node:crypto';
import type { NodePort, RunOptions, RunResult, Written } from './port.ts';

/** One thing that was asked of a node and what it answered. Content and standard input are kept as hashes only. */
export type Exchange =
  | { readonly kind: 'probe' | 'change'; readonly stdin: string | undefined; readonly result: RunResult }
  | { readonly kind: 'read'; readonly path: string; readonly content: string | undefined }
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly mode: number;
      readonly owner: string | undefined;
      readonly content: string;
      readonly written: Written;
    };

/** All that was asked of one node, in order. Plain JSON, for fixtures and bug reports; `replay.ts` plays it. */
export interface Recording {
  readonly node: string;
  readonly exchanges: Exchange[];
}

/**
 * Passes everything on to `node` and writes it down in `recording`. `redact` sees every text that is kept: give it the
 * run's redaction, outputs of kubeadm carry tokens.
 */
export function recorded(
  node: NodePort,
  recording: Recording,
  redact: (text: string) => string = (text) => text,
): NodePort {
  const run = async (kind: 'probe' | 'change', argv: readonly string[], opts?: RunOptions): Promise<RunResult> => {
    const result = await node[kind](argv, opts);
    recording.exchanges.push({
      kind,
      stdin: opts?.stdin === undefined ? undefined : hashOf(opts.stdin),
      result: {
        ...result,
        argv: argv.map(redact),
        stdout: redact(result.stdout),
        stderr: redact(result.stderr),
        ms: Math.round(result.ms),
      },
    });
    return result;
  };
  return {
    name: node.name,
    probe: (argv, opts) => run('probe', argv, opts),
    change: (argv, opts) => run('change', argv, opts),
    async readFile(path, opts) {
      const content = await node.readFile(path, opts);
      recording.exchanges.push({ kind: 'read', path, content: content === undefined ? undefined : redact(content) });
      return content;
    },
    async writeFile(file, opts) {
      const written = await node.writeFile(file, opts);
      const { path, mode, owner } = file;
      recording.exchanges.push({ kind: 'write', path, mode, owner, content: hashOf(file.content), written });
      return written;
    },
  };
}

export function hashOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
