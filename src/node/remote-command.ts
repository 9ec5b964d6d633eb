import { quoteArgv } from '../std/quote.ts';

/**
 * What sh runs on the far side: tells the process group before the command (so that it can be killed) and the exit code
 * after it (so that a command that exits with 255 and a connection that broke are two things). Both go to standard error,
 * marked with a byte that no tool prints and a number that no tool knows.
 *
 * `$0` is the marker. PATH gets the usual places: non-login shells of some systems leave out sbin or /usr/local.
 */
const runScript = `
PATH=\${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
read -r _ _ _ _ group _ </proc/$$/stat
printf '\\036%s+%s\\n' "$0" "$group" >&2
"$@"
code=$?
printf '\\036%s=%s\\n' "$0" "$code" >&2
exit $code
`;

// sudo -S reads the password from standard input only when it needs one: read lines until the marker, so that the
// command's own input starts at the right place either way.
const skipPassword = `
IFS= read -r line || exit 1
[ "$line" = "$0" ] || IFS= read -r line || exit 1
`;

export type Become = 'root' | 'sudo' | 'sudo-password';

/** The one string that ssh hands to the login shell. */
export function remoteCommand(
  marker: string,
  argv: readonly string[],
  opts: { become: Become; env?: Readonly<Record<string, string>> | undefined },
): string {
  const env = Object.entries(opts.env ?? {}).map(([key, value]) => `${key}=${value}`);
  const command = env.length === 0 ? argv : ['env', '--', ...env, ...argv];
  switch (opts.become) {
    case 'root':
      return quoteArgv(['sh', '-c', runScript, marker, ...command]);
    case 'sudo':
      return quoteArgv(['sudo', '-n', '--', 'sh', '-c', runScript, marker, ...command]);
    case 'sudo-password':
      return quoteArgv(['sudo', '-S', '-p', '', '--', 'sh', '-c', skipPassword + runScript, marker, ...command]);
  }
}

/** Standard error of `remoteCommand`, taken apart. What came before the start (banners, sudo's lecture) is `before`. */
export interface RemoteStderr {
  readonly before: string;
  readonly group: number | undefined;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

export function parseRemoteStderr(marker: string, text: string): RemoteStderr {
  const start = new RegExp(`\\x1e${marker}\\+(\\d+)\\n`).exec(text);
  if (start === null) return { before: text, group: undefined, stderr: '', exitCode: undefined };
  const before = text.slice(0, start.index);
  const rest = text.slice(start.index + start[0].length);
  const end = new RegExp(`\\x1e${marker}=(\\d+)\\n?`).exec(rest);
  const group = Number(start[1]);
  if (end === null) return { before, group, stderr: rest, exitCode: undefined };
  const after = rest.slice(end.index + end[0].length);
  return { before, group, stderr: rest.slice(0, end.index) + after, exitCode: Number(end[1]) };
}

/**
 * Lines as they come, without the marks: nothing before the command started, and the part of a line that stands before
 * the end mark. `onStart` gets the process group.
 */
export function stderrLines(
  marker: string,
  onStart: (group: number) => void,
  onLine: (line: string) => void,
): (line: string) => void {
  let started = false;
  return (line) => {
    const at = line.indexOf(`\x1e${marker}`);
    if (at === -1) {
      if (started) onLine(line);
    } else if (line[at + 1 + marker.length] === '+') {
      started = true;
      onStart(Number(line.slice(at + 2 + marker.length)));
    } else if (at > 0) {
      onLine(line.slice(0, at));
    }
  };
}
