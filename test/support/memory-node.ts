import { createHash } from 'node:crypto';
import type { FileToWrite, NodePort, RunOptions, RunResult } from '../../src/node/port.ts';

export interface Asked {
  readonly kind: 'probe' | 'change' | 'read' | 'write';
  readonly argv: readonly string[];
  readonly stdin: string | undefined;
}

export type Answer = (
  argv: readonly string[],
  opts: RunOptions,
) => Partial<RunResult> | Promise<Partial<RunResult>> | undefined;

/** A node in memory: files in a map, commands answered by a function, everything asked kept in `asked`. */
export class MemoryNode implements NodePort {
  readonly name: string;
  readonly files = new Map<string, string>();
  readonly asked: Asked[] = [];
  readonly #answer: Answer;

  constructor(name: string, answer: Answer = () => undefined) {
    this.name = name;
    this.#answer = answer;
  }

  probe(argv: readonly string[], opts: RunOptions = {}): Promise<RunResult> {
    return this.#run('probe', argv, opts);
  }

  change(argv: readonly string[], opts: RunOptions = {}): Promise<RunResult> {
    return this.#run('change', argv, opts);
  }

  async writeFile(file: FileToWrite) {
    const content = typeof file.content === 'string' ? file.content : new TextDecoder().decode(file.content);
    this.asked.push({ kind: 'write', argv: [file.path], stdin: createHash('sha256').update(content).digest('hex') });
    const changed = this.files.get(file.path) !== content;
    this.files.set(file.path, content);
    return { changed, backup: undefined };
  }

  async readFile(path: string) {
    this.asked.push({ kind: 'read', argv: [path], stdin: undefined });
    return this.files.get(path);
  }

  async #run(kind: 'probe' | 'change', argv: readonly string[], opts: RunOptions): Promise<RunResult> {
    const stdin = typeof opts.stdin === 'string' ? opts.stdin : opts.stdin && new TextDecoder().decode(opts.stdin);
    this.asked.push({ kind, argv, stdin });
    const result = { argv, exitCode: 0, stdout: '', stderr: '', ms: 1, ...(await this.#answer(argv, opts)) };
    for (const stream of ['stdout', 'stderr'] as const) {
      for (const line of result[stream].split('\n').slice(0, -1)) opts.onLine?.(stream, line);
    }
    return result;
  }
}
