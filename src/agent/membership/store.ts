import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Membership, nobodySeen, readMembership, writeMembership } from './membership.ts';

/** The last-known-good membership on disk, for a cold start of the whole cluster. */
export async function loadMembership(
  path: string,
): Promise<{ readonly membership: Membership; readonly problem?: string }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { membership: nobodySeen };
    return { membership: nobodySeen, problem: `${path} cannot be read: ${String(error)}` };
  }
  const membership = readMembership(text);
  if (membership === undefined) {
    return {
      membership: nobodySeen,
      problem: `${path} is damaged and is not used; the configuration says whom to ask`,
    };
  }
  return { membership };
}

/** All of it or none: a power cut must not leave half a file. */
export async function saveMembership(path: string, membership: Membership): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const handle = await open(part, 'w', 0o644);
  try {
    await handle.writeFile(writeMembership(membership));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, path);
}
