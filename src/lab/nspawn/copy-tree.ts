import { OperatorError } from '../../errors/operator-error.ts';
import { runProcess } from '../../node/process.ts';

/** Copies a file or a directory with owners, modes, times, holes and attributes; without copying data where the disk can. */
export async function copyTree(from: string, to: string, opts: { signal?: AbortSignal } = {}): Promise<void> {
  await cp(['--archive', '--reflink=auto', '--sparse=always', '--no-target-directory', from, to], opts);
}

/**
 * As `copyTree`, but files become second names of the same file (hard links), which takes no time and no space. Only for
 * files that nobody changes in place. Falls back to a copy where source and target are on different file systems.
 */
export async function linkTree(from: string, to: string, opts: { signal?: AbortSignal } = {}): Promise<void> {
  const linked = await runProcess(['cp', '--archive', '--link', '--no-target-directory', from, to], opts);
  if (linked.exitCode === 0) return;
  opts.signal?.throwIfAborted();
  await runProcess(['rm', '-rf', to]);
  await copyTree(from, to, opts);
}

async function cp(args: readonly string[], opts: { signal?: AbortSignal }): Promise<void> {
  const result = await runProcess(['cp', ...args], opts);
  opts.signal?.throwIfAborted();
  if (result.exitCode === 0) return;
  const full = /No space left on device/.test(result.stderr);
  throw new OperatorError(full ? 'NO_SPACE' : 'TOOL_FAILED', `Cannot copy ${args.at(-2)}`, {
    cause: result.stderr.trim(),
    ...(full ? { hint: 'free some space, or point HAIRPIN_STATE at a bigger file system' } : {}),
  });
}
