import { type Log, onlyChanges } from '../log/log.ts';
import type { Renewed, Renewer } from './renewal.ts';

/**
 * The dead man's switch: keeps the table alive by datagrams and notices when they are not taken, because somebody flushed
 * or changed the table.
 */
export interface DeadMansSwitch {
  /** One round, to every endpoint that is steered. */
  renew(): Promise<void>;
  /** A last round, under the same conditions, so that a successor has the full three seconds; then the sockets are closed. */
  close(): Promise<void>;
  readonly state: () => {
    readonly renewing: boolean;
    readonly renewedAt: number | undefined;
    readonly problem: string | undefined;
  };
}

export interface SwitchContext {
  readonly renewer: Renewer;
  /** Whether the table may live on, and whom the datagrams go to. */
  readonly mayRenew: () => boolean;
  readonly endpoints: () => readonly string[];
  readonly port: () => number;
  /** The table has to be looked at. */
  readonly gone: () => void;
  readonly told: (result: Renewed['is']) => void;
  readonly log: Log;
  readonly now: () => number;
}

/** A table that is put back and is gone again each time is somebody else's work too: do not fight it at full speed. */
const quickRepairs = 3;
const longestPauseMs = 60_000;

export function deadMansSwitch(cx: SwitchContext): DeadMansSwitch {
  let renewing = false;
  let renewedAt: number | undefined;
  let problem: string | undefined;
  let repairs = 0;
  let repairAfter = Number.NEGATIVE_INFINITY;
  const say = onlyChanges((text) => {
    if (text !== undefined) cx.log.warn({}, `${text}; it is put back`);
  });

  const judge = (address: string, result: Renewed) => {
    const at = cx.now();
    if (result.is === 'renewed') {
      renewedAt = at;
      repairs = 0;
      problem = undefined;
      say(undefined);
      return;
    }
    problem =
      result.is === 'passed'
        ? `a renewing datagram to ${address} was not taken: the steering table is gone or changed`
        : `a renewing datagram to ${address} could not be sent: ${result.why}`;
    say(problem);
    if (at < repairAfter) return;
    repairs += 1;
    repairAfter = repairs <= quickRepairs ? at : at + Math.min(longestPauseMs, 1000 * 2 ** (repairs - quickRepairs));
    cx.gone();
  };

  const renew = async () => {
    renewing = cx.mayRenew();
    if (!renewing) return;
    for (const address of cx.endpoints()) {
      const result = await cx.renewer.send(address, cx.port());
      cx.told(result.is);
      judge(address, result);
    }
  };

  return {
    renew,
    async close() {
      await renew();
      cx.renewer.close();
    },
    state: () => ({ renewing, renewedAt, problem }),
  };
}
