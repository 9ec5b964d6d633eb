import type { CredentialStore } from './credentials.ts';
import type { Probe } from './probes.ts';

export interface RotationContext {
  readonly credentials: Pick<CredentialStore, 'refresh'>;
  readonly probes: ReadonlyMap<string, Probe>;
  /** Ends early when the prober ends. */
  readonly pause: (ms: number) => Promise<void>;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

const atMostEveryMs = 5000;
/** No apiserver sees all its agents dial at once when a certificate has been rotated. */
const spreadMs = 1000;

/**
 * What to call when the node's client certificate may be another one: asks for it, and where it is, dials all apiservers
 * anew with it, one after the other. Many calls at once are one reason to ask.
 */
export function rotateCredentials(cx: RotationContext): () => Promise<void> {
  let state: 'idle' | 'busy' | 'busy, then again' = 'idle';
  return async function rotate() {
    if (state !== 'idle') {
      state = 'busy, then again';
      return;
    }
    do {
      state = 'busy';
      if (await cx.credentials.refresh()) await redial(cx);
      await cx.pause(atMostEveryMs);
    } while ((state as string) === 'busy, then again' && !cx.signal.aborted);
    state = 'idle';
  };
}

async function redial({ probes, pause, random }: RotationContext): Promise<void> {
  for (const probe of probes.values()) {
    const { connection } = probe;
    await pause(random() * spreadMs);
    if (connection !== undefined && probe.connection === connection) connection.redial();
  }
}
