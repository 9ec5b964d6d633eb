import type { Credentials } from './connection.ts';
import type { SteererLink } from './steerer-link.ts';

/**
 * The node's client certificate, asked of the steerer (the key is root's) and kept in memory. A dial takes what is
 * there: only the very first waits, and not for long, because an anonymous probe is better than none.
 */
export interface CredentialStore {
  current(): Promise<Credentials | undefined>;
  /** Whether it is time to ask anew: soon while there is none (a node that joins gets one), else now and then. */
  due(at: number): boolean;
  /** Asks anew, as when the steerer comes up and once a minute; true when the certificate is another one than before. */
  refresh(): Promise<boolean>;
}

const firstWaitMs = 200;
/** kubelet rotates its certificate weeks ahead of its end, so a minute is soon enough. */
const againMs = 60_000;
const againWithoutMs = 5000;
const answerWithinMs = 2000;

export function credentialStore(link: SteererLink, say: (problem: string | undefined) => void): CredentialStore {
  let known: Credentials | undefined;
  const first = Promise.withResolvers<void>();
  const startedAt = performance.now();
  let askedAt = Number.NEGATIVE_INFINITY;
  return {
    due: (at) => at - askedAt >= (known === undefined ? againWithoutMs : againMs),
    async refresh() {
      askedAt = performance.now();
      try {
        const answer = await link.ask<'credentials'>({ op: 'credentials' }, { timeoutMs: answerWithinMs });
        if (!answer.ok) {
          say(`the steerer does not give the node's client certificate: ${answer.problem}`);
          return false;
        }
        // One that is not there for a moment (it is being replaced) is no reason to forget the last.
        say('none' in answer ? `asking anonymously: ${answer.none}` : undefined);
        const next = 'cert' in answer ? { cert: answer.cert, key: answer.key } : known;
        const changed = next?.cert !== known?.cert || next?.key !== known?.key;
        known = next;
        return changed;
      } catch (error) {
        say(error instanceof Error ? error.message : String(error));
        return false;
      } finally {
        first.resolve();
      }
    },
    async current() {
      const left = firstWaitMs - (performance.now() - startedAt);
      if (known === undefined && left > 0) {
        let timer: NodeJS.Timeout | undefined;
        await Promise.race([first.promise, new Promise((resolve) => (timer = setTimeout(resolve, left)))]);
        clearTimeout(timer);
      }
      return known;
    },
  };
}
