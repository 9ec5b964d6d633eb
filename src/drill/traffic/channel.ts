import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The program as it is in a checkout; on a node it is a verb of hairpin's own program. */
export const trafficProgram = fileURLToPath(new URL('./traffic.main.ts', import.meta.url));

/** Where a traffic process runs, and how one talks to it. */
export interface TrafficChannel {
  /** Runs the program with this argument. `input` is its standard input; resolves when it has ended, and never rejects. */
  run(
    config: string,
    io: { readonly input: Readable; readonly onLine: (line: string) => void; readonly signal: AbortSignal },
  ): Promise<TrafficEnded>;
  /**
   * Ends the program where its stream broke, and gives every line that it wrote, from the first; `undefined` when nothing
   * is left of it. Absent where streams do not break.
   */
  recover?(): Promise<readonly string[] | undefined>;
}

export interface TrafficEnded {
  /** Nothing when it ended well. */
  readonly problem: string | undefined;
  /** The stream ended and the program may not have. */
  readonly lost: boolean;
}

/** A process of this machine, wherever `argv` puts it: through `nsenter` in the lab. */
export function throughCommand(argv: (config: string) => readonly string[]): TrafficChannel {
  return {
    async run(config, { input, onLine, signal }) {
      const [file = '', ...args] = argv(config);
      const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
      const kill = () => child.kill('SIGTERM');
      signal.addEventListener('abort', kill, { once: true });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(-2000);
      });
      child.stdin.on('error', () => undefined);
      input.pipe(child.stdin);
      const lines = createInterface({ input: child.stdout }).on('line', onLine);
      // The process may end before its last lines have been read.
      const read = new Promise((resolve) => lines.once('close', resolve));
      const problem = await new Promise<string | undefined>((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('close', (code, by) =>
          resolve(code === 0 ? undefined : `ended with ${by ?? code}: ${stderr.trim()}`),
        );
      });
      await read;
      signal.removeEventListener('abort', kill);
      return { problem, lost: false };
    },
  };
}
