import { readdir, readFile, rm } from 'node:fs/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { runProcess } from '../../node/process.ts';
import { ipBatch } from '../commands/command.ts';
import { labOfNetns } from '../topology/names.ts';

/** Every named network namespace of this machine that a lab made, by lab. */
export async function labNetns(): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const name of await readdir('/run/netns').catch(() => [])) {
    const lab = labOfNetns(name);
    if (lab !== undefined) found.set(lab, [...(found.get(lab) ?? []), name]);
  }
  return found;
}

/** Removes a lab's namespaces and, with them, its links, addresses, routes and rules. */
export async function removeNetns(lab: string): Promise<void> {
  const names = (await labNetns()).get(lab) ?? [];
  if (names.length === 0) return;
  const [batch] = ipBatch(
    undefined,
    names.map((name) => `netns del ${name}`),
  );
  if (batch === undefined) return;
  const [ip = 'ip', ...args] = batch.argv;
  // Another `lab down` may remove some of them at the same time; what counts is what is left.
  const result = await runProcess([ip, '-force', ...args], { stdin: batch.stdin ?? '' });
  const left = (await labNetns()).get(lab) ?? [];
  if (left.length > 0) {
    throw new OperatorError('LAB_NOT_SWEPT', `Cannot remove the namespaces ${left.join(', ')}`, {
      cause: result.stderr.trim(),
    });
  }
}

/** Mount points below a directory, the deepest first. */
export async function mountsBelow(root: string): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  const points = text.split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    return point === undefined ? [] : [unescapeMount(point)];
  });
  return points.filter((point) => point.startsWith(`${root}/`)).toReversed();
}

/** Unmounts all below `root`, then removes it. Nothing is removed while anything is mounted there. */
export async function removeTree(root: string): Promise<void> {
  const points = await mountsBelow(root);
  const result = points.length === 0 ? undefined : await runProcess(['umount', '--lazy', '--', ...points]);
  const left = await mountsBelow(root);
  if (left.length > 0) {
    throw new OperatorError('LAB_NOT_SWEPT', `Cannot unmount ${left.join(', ')}`, {
      cause: result?.stderr.trim() ?? 'mounted again meanwhile',
    });
  }
  await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
