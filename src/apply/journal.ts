import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StepId, StepKind, Undo } from '../plan/step.ts';
import type { Secrets } from './secrets.ts';

/** What a run did, in order. No entry holds a secret or the content of a file. */
export type JournalEntry =
  | {
      readonly entry: 'run-started';
      readonly command: string;
      readonly by: string;
      readonly cluster: string;
      readonly planDigest: string;
      readonly steps: readonly StepId[];
    }
  | {
      readonly entry: 'step-started';
      readonly step: StepId;
      readonly node: string;
      readonly kind: StepKind;
      readonly because: string;
      readonly undo: Undo;
    }
  | { readonly entry: 'step-done'; readonly step: StepId; readonly ms: number; readonly detail: string | undefined }
  | { readonly entry: 'step-failed'; readonly step: StepId; readonly ms: number; readonly reason: string }
  | { readonly entry: 'undone'; readonly node: string; readonly what: string }
  | {
      readonly entry: 'run-ended';
      readonly outcome: 'done' | 'failed' | 'interrupted';
      readonly reason: string | undefined;
    };

export interface Journal {
  readonly path: string;
  add(entry: JournalEntry): void;
}

/**
 * The journal on the operator's machine: `.hairpin/CLUSTER/TIME.jsonl` beside cluster.yaml. Each line is on disk before
 * the step that it announces starts, so a run that was killed shows how far it came.
 */
export class FileJournal implements Journal, Disposable {
  readonly path: string;
  readonly #file: number;
  readonly #run: string;
  readonly #secrets: Secrets;
  readonly #now: () => Date;

  constructor(opts: { path: string; run: string; secrets: Secrets; now?: () => Date }) {
    this.path = opts.path;
    this.#run = opts.run;
    this.#secrets = opts.secrets;
    this.#now = opts.now ?? (() => new Date());
    mkdirSync(dirname(opts.path), { recursive: true, mode: 0o700 });
    this.#file = openSync(opts.path, 'a', 0o600);
  }

  add(entry: JournalEntry): void {
    const line = this.#secrets.redactAll({ at: this.#now().toISOString(), run: this.#run, ...entry });
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
    fdatasyncSync(this.#file);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

/** For tests and for runs that keep nothing. */
export class MemoryJournal implements Journal {
  readonly path = '(memory)';
  readonly entries: JournalEntry[] = [];

  add(entry: JournalEntry): void {
    this.entries.push(entry);
  }
}

/** `2026-11-23T16-02-33Z-4fa1`: sorts by time, and two runs of one second differ. */
export function runId(at: Date, tail: string): string {
  return `${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z-${tail}`;
}

export function journalPath(directory: string, cluster: string, run: string): string {
  return join(directory, '.hairpin', cluster, `${run}.jsonl`);
}
