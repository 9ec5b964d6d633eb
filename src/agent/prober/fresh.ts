import type { SteererLink } from './steerer-link.ts';

export interface FreshContext {
  /** A connection of its own: a question waits for its answer for 20 s. */
  readonly link: SteererLink;
  readonly wanted: () => boolean;
  /** Connections of this node have just been sent to this address. */
  readonly sent: (address: string) => void;
  /** Ends early when the prober ends. */
  readonly pause: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** One who opens connections all the time asks each of its apiservers 7 times a second. */
const everyMs = 150;
const againMs = 1000;
const timeoutMs = 30_000;
/** By a steerer of an earlier version. */
const refusedMs = 10_000;

/** Hears of new connections from the kernel, by way of the steerer, until `signal` aborts. */
export async function followFresh({ link, wanted, sent, pause, signal }: FreshContext): Promise<void> {
  while (!signal.aborted) {
    const answer =
      wanted() && link.up()
        ? await link.ask<'fresh'>({ op: 'fresh' }, { timeoutMs }).catch(() => undefined)
        : undefined;
    if (answer?.ok === true) for (const address of answer.backends) sent(address);
    await pause(answer === undefined ? againMs : answer.ok ? everyMs : refusedMs);
  }
}
