import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { OperatorError } from '../../errors/operator-error.ts';
import { runTool, type ToolResult } from '../cache/process.ts';
import { noSpace } from '../cache/space.ts';
import { type GoMod, goModSchema } from './go-wrapper.ts';

const downloadSchema = z.object({
  Dir: z.string().optional(),
  Error: z.string().optional(),
  Info: z.string().optional(),
});
const infoSchema = z.object({
  Time: z.string().optional(),
  Origin: z.object({ Hash: z.string().optional() }).nullish(),
});

/** The `go` of this machine, with settings under which the same versions give the same programs. */
export interface GoCommand {
  run(cwd: string, args: readonly string[], onLine?: (line: string) => void): Promise<ToolResult>;
  /** The directory of a module's files, fetched where it is not there yet; `undefined` where the registry has none. */
  fetch(module: string, version: string): Promise<string | undefined>;
  readGoMod(path: string): Promise<GoMod>;
  /** When a version was made and, where the registry knows it, from which commit. */
  origin(module: string, version: string): Promise<{ readonly buildDate?: string; readonly gitCommit?: string }>;
  /** All versions of a module, in the registry's order. */
  versions(module: string): Promise<readonly string[]>;
}

export function goCommand(opts: { scratch: string; arch: string; signal: AbortSignal }): GoCommand {
  const { scratch, arch, signal } = opts;
  const env = {
    CGO_ENABLED: '0',
    GO111MODULE: 'on',
    GOARCH: arch,
    // Lets `go build` add to a wrapper's go.sum what the module's own go.sum does not have.
    GOFLAGS: '-mod=mod',
    GOOS: 'linux',
    GOTMPDIR: scratch,
    GOWORK: 'off',
  };
  const run: GoCommand['run'] = (cwd, args, onLine) =>
    runTool(['go', ...args], { signal, cwd, env, fails: undefined, ...(onLine === undefined ? {} : { onLine }) });
  const download = async (module: string, version: string) => {
    const { stdout, stderr } = await run(scratch, ['mod', 'download', '-json', `${module}@${version}`]);
    const found = downloadSchema.safeParse(parseJson(stdout));
    if (!found.success) throw buildFailed(`Cannot fetch ${module} ${version}`, stderr);
    return found.data;
  };
  return {
    run,
    fetch: async (module, version) => (await download(module, version)).Dir,
    async readGoMod(path) {
      const { stdout, stderr } = await run(scratch, ['mod', 'edit', '-json', path]);
      const parsed = goModSchema.safeParse(parseJson(stdout));
      if (!parsed.success) throw buildFailed(`Cannot read ${path}`, stderr);
      return parsed.data;
    },
    async origin(module, version) {
      const { Info } = await download(module, version);
      const text = Info === undefined ? '{}' : await readFile(Info, 'utf8').catch(() => '{}');
      const { Time, Origin } = infoSchema.safeParse(parseJson(text)).data ?? {};
      return {
        ...(Time === undefined ? {} : { buildDate: Time }),
        ...(Origin?.Hash === undefined ? {} : { gitCommit: Origin.Hash }),
      };
    },
    async versions(module) {
      const { stdout, exitCode } = await run(scratch, ['list', '-m', '-versions', module]);
      return exitCode === 0 ? stdout.trim().split(/\s+/).slice(1) : [];
    },
  };
}

/** The error for a `go` that did not do its work, with the last lines that it said. */
export function buildFailed(message: string, stderr: string): OperatorError {
  const cause = stderr.trim().split('\n').slice(-12).join('\n');
  if (/no space left on device/i.test(stderr)) return noSpace('`go env GOCACHE GOMODCACHE`', 'compiling', cause);
  return new OperatorError('ARTEFACT_BUILD_FAILED', message, {
    cause,
    hint: 'the same command goes on with what is missing when it is run again',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
