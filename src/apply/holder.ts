import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';

/** Who holds a lock, for people and for the next run. */
export interface Holder {
  readonly run: string;
  readonly command: string;
  readonly user: string;
  readonly host: string;
  /** Tells one machine (and one container on it) from another; says nothing else about it. */
  readonly machine: string;
  readonly pid: number;
  /** Start time of the process in clock ticks: a pid alone may have been given out again. */
  readonly pidStart: string;
  readonly since: string;
}

export function ourselves(run: string, command: string, now: Date = new Date()): Holder {
  return {
    run,
    command,
    user: userInfo().username,
    host: hostname(),
    machine: machineId(),
    pid: process.pid,
    pidStart: startOf(process.pid) ?? '',
    since: now.toISOString(),
  };
}

/** Whether the process that took a lock has ended. `undefined`: it is on another machine, so nobody here can know. */
export function holderIsGone(holder: Holder, us: Holder): boolean | undefined {
  if (holder.machine !== us.machine || holder.host !== us.host) return undefined;
  return startOf(holder.pid) !== holder.pidStart;
}

/** `undefined`: there is no such process. Empty where there is no procfs to ask. */
function startOf(pid: number): string | undefined {
  const stat = readOr(`/proc/${pid}/stat`);
  if (stat === undefined) return existsSync('/proc/self/stat') || !exists(pid) ? undefined : '';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not looked yet.
  return fields[0] === 'Z' ? undefined : fields[19];
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function machineId(): string {
  let space = '';
  try {
    space = readlinkSync('/proc/self/ns/pid');
  } catch {
    // No procfs: another operating system, where a pid belongs to the machine.
  }
  const parts = [readOr('/etc/machine-id') ?? '', readOr('/proc/sys/kernel/random/boot_id') ?? '', space];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
