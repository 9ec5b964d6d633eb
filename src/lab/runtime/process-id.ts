import { readFile } from 'node:fs/promises';

/** A process, safe against its number being given to another one: the start time tells them apart. */
export interface ProcessId {
  readonly pid: number;
  /** In clock ticks since boot, as /proc/PID/stat has it. */
  readonly started: string;
}

/** `undefined` for a process that does not exist, or is dead and only waits to be reaped. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in parentheses and may hold blanks and parentheses itself.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], fields?.[19]];
  return started === undefined || state === 'Z' || state === 'X' ? undefined : { pid, started };
}

export async function isAlive(id: ProcessId): Promise<boolean> {
  return (await identify(id.pid))?.started === id.started;
}
