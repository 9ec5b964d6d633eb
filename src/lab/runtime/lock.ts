import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { labPaths } from '../paths.ts';
import { identify, isAlive, type ProcessId } from './process-id.ts';

/**
 * Who is bringing a lab up. What keeps two `up` of one lab apart is the lab's directory, which only one can make; this
 * file tells `down` whom to stop. A holder that died is no holder.
 */
export interface Holder extends ProcessId {
  /** True for a process that does nothing else (`hairpin lab up`) and may therefore be sent a signal. */
  readonly onlyThis: boolean;
}

export async function holdLab(lab: string, opts: { onlyThis: boolean }): Promise<AsyncDisposable> {
  const id = (await identify(process.pid)) ?? { pid: process.pid, started: '' };
  const { lock } = labPaths(lab);
  const holder: Holder = { ...id, onlyThis: opts.onlyThis };
  await writeFile(lock, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  return { [Symbol.asyncDispose]: () => rm(lock, { force: true }) };
}

/** The living process that brings this lab up, if any. */
export async function holderOf(lab: string): Promise<Holder | undefined> {
  const text = await readFile(labPaths(lab).lock, 'utf8').catch(() => '');
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
  return (await isAlive(holder)) ? holder : undefined;
}

/**
 * Makes the process that brings a lab up stop. A `hairpin lab up` gets SIGTERM and, when it does not end, SIGKILL. A
 * program that uses the library is left alone: the lab's cgroups are gone, so nothing that it starts can run, and it
 * finds out at its next command.
 */
export async function stopHolder(holder: Holder, opts: { patience: number }): Promise<void> {
  if (!holder.onlyThis) {
    return;
  }
  signal(holder, 'SIGTERM');
  if (await ended(holder, opts.patience)) return;
  signal(holder, 'SIGKILL');
  await ended(holder, opts.patience);
}

async function ended(id: ProcessId, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  while (await isAlive(id)) {
    if (performance.now() > until) return false;
    await sleep(10);
  }
  return true;
}

function signal(id: ProcessId, name: NodeJS.Signals): void {
  try {
    process.kill(id.pid, name);
  } catch {
    // It has just ended.
  }
}
