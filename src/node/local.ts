import { throwWhenStopped } from './ended.ts';
import { manifestPath, readFileThrough, writeFileThrough } from './files.ts';
import type { FileToWrite, NodePort, RunOptions, RunResult, Written } from './port.ts';
import { runProcess } from './process.ts';

/**
 * This machine as a node. `prefix` is put before every command: `['ip', 'netns', 'exec', 'hp-lab-m1']` makes it a node of
 * the lab's wire tier.
 */
export class LocalNode implements NodePort {
  readonly name: string;
  readonly #prefix: readonly string[];
  readonly #manifest: string;

  constructor(name: string, prefix: readonly string[] = [], opts: { manifest?: string } = {}) {
    this.name = name;
    this.#prefix = prefix;
    this.#manifest = opts.manifest ?? manifestPath;
  }

  probe(argv: readonly string[], opts: RunOptions = {}): Promise<RunResult> {
    return this.#run(argv, opts);
  }

  change(argv: readonly string[], opts: RunOptions = {}): Promise<RunResult> {
    return this.#run(argv, opts);
  }

  writeFile(file: FileToWrite, opts: { signal?: AbortSignal | undefined } = {}): Promise<Written> {
    return writeFileThrough((argv, o) => this.#run(argv, o ?? {}), this.name, file, {
      ...opts,
      manifest: this.#manifest,
    });
  }

  readFile(path: string, opts: { signal?: AbortSignal | undefined } = {}): Promise<string | undefined> {
    return readFileThrough((argv, o) => this.#run(argv, o ?? {}), this.name, path, opts);
  }

  async #run(argv: readonly string[], opts: RunOptions): Promise<RunResult> {
    opts.onStart?.();
    const result = await runProcess([...this.#prefix, ...argv], opts);
    throwWhenStopped(this.name, argv, result.why, opts);
    const { exitCode, stdout, stderr, ms } = result;
    return { argv, exitCode, stdout, stderr, ms };
  }
}
