import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';

/** Refuses to begin what would not fit: a full disk in the middle costs minutes and leaves other programs without space. */
export async function requireSpace(dir: string, need: number, what: string): Promise<void> {
  const free = await freeBytes(dir);
  if (free >= need) return;
  throw noSpace(dir, what, `${formatBytes(need)} needed, ${formatBytes(free)} free`);
}

/** What is free where `dir` is, or will be once somebody makes it. */
export async function freeBytes(dir: string): Promise<number> {
  const found = await statfs(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && dirname(dir) !== dir) return undefined;
    throw error;
  });
  return found === undefined ? freeBytes(dirname(dir)) : found.bavail * found.bsize;
}

export function noSpace(dir: string, what: string, cause: string): OperatorError {
  return new OperatorError('NO_SPACE', `No space left for ${what} in ${dir}`, {
    cause,
    hint: 'free some space, or point HAIRPIN_CACHE at a bigger file system; `go clean -cache` frees the build cache',
  });
}

/** `1.4 GB`, `620 MB`, `12 KB`: powers of ten, as disks are sold and `df -H` counts. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.ceil(bytes / 1e3)} KB`;
}
