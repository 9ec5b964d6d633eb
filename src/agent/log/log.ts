import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** One line an event: `msg` is the sentence, the other fields are the numbers in it. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  warn(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  error(fields: Readonly<Record<string, unknown>>, sentence: string): void;
}

/** What may wait in memory while journald does not read; more is dropped, and the next line says how many were. */
const mostWaiting = 1024 * 1024;
/** Levels as pino and bunyan have them, which log viewers know. */
const levels = { info: 30, warn: 40, error: 50 } as const;

/**
 * JSON lines to stdout, which is journald's under systemd. Never waits for its reader: a journal that hangs must not
 * hold up probing. `flush` is for the end of a process: what nobody has read by then is given up.
 */
export function openLog(process: string, to = 1): Log & { flush(): void } {
  const out = openOutput(to);
  let lost = 0;
  const say =
    (level: keyof typeof levels): Log['info'] =>
    (fields, sentence) => {
      const time = new Date().toISOString();
      const words = { level: levels[level], time, process, ...fields, ...(lost === 0 ? {} : { lost }), msg: sentence };
      if (out.write(`${JSON.stringify(words)}\n`)) lost = 0;
      else lost += 1;
    };
  return { info: say('info'), warn: say('warn'), error: say('error'), flush: () => out.close() };
}

interface Output {
  /** False: the line was dropped. */
  write(line: string): boolean;
  close(): void;
}

function openOutput(fd: number): Output {
  const kind = fstatSync(fd);
  if (!kind.isFIFO() && !kind.isSocket()) {
    return {
      write(line) {
        try {
          writeSync(fd, line);
          return true;
        } catch {
          // A disk that is full, a terminal that has gone.
          return false;
        }
      },
      close: () => undefined,
    };
  }
  // Not process.stdout: that one waits for whoever reads.
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on('error', () => undefined);
  socket.unref();
  return {
    write(line) {
      if (socket.destroyed || socket.writableLength + line.length > mostWaiting) return false;
      socket.write(line);
      return true;
    },
    close: () => void socket.destroy(),
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
