import { spawn } from 'node:child_process';

/**
 * Tells systemd how the service is (sd_notify(3)). Node.js has no datagram socket for Unix addresses, so
 * `systemd-notify` carries the message: one short process each, which is why the unit's WatchdogSec= is long (≥ 30 s) and
 * needs NotifyAccess=all. 5–6 ms of processor time each (50 runs under `/usr/bin/time -f '%U %S' sh -c 'for i in $(seq 50);
 * do systemd-notify WATCHDOG=1; done'` with a bound NOTIFY_SOCKET, systemd 252: 0.26 s and 0.29 s). What fails open is the
 * kernel's element timeout; the watchdog only restarts a prober that hangs.
 *
 * There is no RELOADING=1: ExecReload= needs none, and when it comes after its READY=1, or that is lost, the unit reloads for
 * ever (systemd 252: "Reload operation timed out", again and again), and the next `systemctl reload` waits as long.
 */
export interface Notifier {
  ready(status: string): void;
  stopping(): void;
  status(text: string): void;
  /** Milliseconds between two `alive` that systemd wants; `undefined` without a watchdog. */
  readonly watchdogMs: number | undefined;
  alive(): void;
}

export function openNotifier(
  env: { readonly NOTIFY_SOCKET?: string | undefined; readonly WATCHDOG_USEC?: string | undefined },
  trouble: (text: string) => void,
): Notifier {
  const on = (env.NOTIFY_SOCKET ?? '') !== '';
  const usec = Number(env.WATCHDOG_USEC ?? 0);
  let said = false;
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  // One after the other, so that the last is what systemd believes.
  const send = (...lines: readonly string[]) => {
    if (!on) return;
    waiting += 1;
    last = last
      .then(() => notify(lines))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        if (!said) trouble(`systemd-notify cannot be run, so systemd does not learn how this service is: ${why}`);
        said = true;
      })
      .finally(() => {
        waiting -= 1;
      });
  };
  return {
    ready: (status) => send('--ready', `--status=${status}`, `MAINPID=${process.pid}`),
    stopping: () => send('STOPPING=1'),
    status: (text) => send(`--status=${text}`),
    watchdogMs: on && usec > 0 ? usec / 2000 : undefined,
    // The next one comes long before the watchdog bites.
    alive: () => {
      if (waiting === 0) send('WATCHDOG=1');
    },
  };
}

async function notify(lines: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn('systemd-notify', lines, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}
