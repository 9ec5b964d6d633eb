import { runTool } from '../cache/process.ts';
import { compareReleases } from './version.ts';

export interface GoToolchain {
  /** `go1.26.8` */
  readonly version: string;
  /** Whether it must do with itself: GOTOOLCHAIN=local. Otherwise it fetches a newer one where a module needs it. */
  readonly local: boolean;
  /** Where it keeps what it has compiled. */
  readonly cache: string;
}

/** `undefined` where there is no `go`. */
export async function goToolchain(signal: AbortSignal): Promise<GoToolchain | undefined> {
  const asked = await runTool(['sh', '-c', 'command -v go >/dev/null && go env GOVERSION GOTOOLCHAIN GOCACHE'], {
    signal,
    fails: undefined,
  });
  if (asked.exitCode !== 0) return undefined;
  const [version = '', toolchain = '', cache = ''] = asked.stdout.split('\n');
  return { version, local: toolchain === 'local', cache };
}

/** Whether `have` (`go1.26.8`) is older than `least` (`1.26.0`, as in a go.mod). */
export function goIsOlder(have: string, least: string): boolean {
  const numbers = (text: string) => {
    const [major = 0, minor = 0, patch = 0] = (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
    return `v${major}.${minor}.${patch}`;
  };
  return compareReleases(numbers(have), numbers(least)) < 0;
}
