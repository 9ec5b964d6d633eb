import pino from 'pino';

/** One line an event: `msg` is the sentence, the other fields are the numbers in it. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  warn(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  error(fields: Readonly<Record<string, unknown>>, sentence: string): void;
}

/** What may wait in memory while journald does not read; more is dropped. */
const mostWaiting = 1024 * 1024;

/**
 * JSON lines to stdout, which is journald's under systemd. Never waits for its reader: a journal that hangs must not
 * hold up probing. `flush` is for the last words of a process.
 */
export function openLog(process: string): Log & { flush(): void } {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: mostWaiting });
  destination.on('error', () => undefined);
  const log = pino({ base: { process }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    info: (fields, sentence) => log.info(fields, sentence),
    warn: (fields, sentence) => log.warn(fields, sentence),
    error: (fields, sentence) => log.error(fields, sentence),
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // Nobody reads any more.
      }
    },
  };
}

/** Says a thing when it begins, when it changes and when it is over, not each time that it is seen. */
export function onlyChanges(say: (text: string | undefined) => void): (text: string | undefined) => void {
  let last: string | undefined;
  return (text) => {
    if (text !== last) say(text);
    last = text;
  };
}
