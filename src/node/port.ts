import type { Readable } from 'node:stream';

/**
 * The port to a machine, wherever it runs: over SSH, on this machine, in a network namespace of the lab, or in a
 * recording. Adapters live beside this file; nothing else in the program starts a process on a node.
 */
export interface RunResult {
  readonly argv: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; the command is killed after that and the result is a `NODE_TIMEOUT` error. */
  readonly timeout?: number | undefined;
  readonly stdin?: string | Uint8Array | undefined;
  /** Instead of `stdin`: what is said to the command while it runs. Not recorded and not replayed. */
  readonly input?: Readable | undefined;
  /** Environment for the command. Never a secret: environments can be read by other processes. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Called when the node can be reached and the command is about to be handed to it; again when it is tried again. */
  readonly onStart?: (() => void) | undefined;
  /** Called with each whole line as it is printed. */
  readonly onLine?: ((stream: 'stdout' | 'stderr', line: string) => void) | undefined;
}

export interface FileToWrite {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** As in chmod, e.g. 0o600. */
  readonly mode: number;
  /** `user:group`; root:root when absent. */
  readonly owner?: string;
}

/** What a write found and left. `backup` is the path of the copy of a file that was there and was not ours. */
export interface Written {
  readonly changed: boolean;
  readonly backup: string | undefined;
}

/**
 * `probe` and `change` differ only in what they promise. A probe may be repeated at any time and leaves the node as it
 * was; everything else is a change. Plan, journal and lock all rest on that difference, so a command that only mostly
 * reads is a change. Neither throws for a non-zero exit code: that is a result. They throw `OperatorError` when the
 * command could not be run or did not end in time.
 */
export interface NodePort {
  readonly name: string;
  probe(argv: readonly string[], opts?: RunOptions): Promise<RunResult>;
  change(argv: readonly string[], opts?: RunOptions): Promise<RunResult>;
  /** Atomic (temporary file in the same directory, then rename); a file that was there is kept at `path.hairpin-backup` once. */
  writeFile(file: FileToWrite, opts?: { signal?: AbortSignal | undefined }): Promise<Written>;
  /** `undefined` when there is no such file. */
  readFile(path: string, opts?: { signal?: AbortSignal | undefined }): Promise<string | undefined>;
}
