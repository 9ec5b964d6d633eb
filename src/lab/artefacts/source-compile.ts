import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { OperatorError } from '../../errors/operator-error.ts';
import { runTool } from '../cache/process.ts';
import { writeAtomic } from '../cache/write-atomic.ts';
import { type ComponentName, goModules } from './components.ts';
import { corednsMain, pauseGoMod, pauseMain } from './go-programs.ts';
import { type GoToolchain, goIsOlder } from './go-toolchain.ts';
import { type GoMod, goModSchema, stagingVersion, wrapperGoMod } from './go-wrapper.ts';
import type { Source, Wanted } from './source.ts';
import { compareReleases } from './version.ts';

const downloadSchema = z.object({
  Dir: z.string().optional(),
  Error: z.string().optional(),
  Info: z.string().optional(),
});

/** Compiles from the Go module registry that this machine's `go env GOPROXY` names. `go` is the directory for wrappers. */
export function compileSource(opts: { go: string; arch: string; signal: AbortSignal; toolchain: GoToolchain }): Source {
  const { signal } = opts;
  const wrappers = new Map<string, Promise<string>>();
  const scratch = join(opts.go, 'tmp');
  const env = {
    CGO_ENABLED: '0',
    GO111MODULE: 'on',
    GOARCH: opts.arch,
    GOFLAGS: '-mod=mod',
    GOOS: 'linux',
    GOTMPDIR: scratch,
    GOWORK: 'off',
  };
  const go = (cwd: string, args: readonly string[], onLine?: (line: string) => void) =>
    runTool(['go', ...args], { signal, cwd, env, fails: undefined, ...(onLine === undefined ? {} : { onLine }) });

  const download = async (module: string, version: string) => {
    const { stdout, stderr } = await go(scratch, ['mod', 'download', '-json', `${module}@${version}`]);
    const found = downloadSchema.safeParse(parseJson(stdout));
    if (!found.success) throw buildFailed(`Cannot fetch ${module} ${version}`, stderr);
    return found.data;
  };

  const goMod = async (path: string): Promise<GoMod> => {
    const { stdout, stderr } = await go(scratch, ['mod', 'edit', '-json', path]);
    const parsed = goModSchema.safeParse(parseJson(stdout));
    if (!parsed.success) throw buildFailed(`Cannot read ${path}`, stderr);
    return parsed.data;
  };

  const makeWrapper = async (component: ComponentName, version: string): Promise<string> => {
    const dir = join(opts.go, `${component}-${version}`);
    await mkdir(dir, { recursive: true });
    if (component === 'pause') {
      await writeAtomic(join(dir, 'main.go'), pauseMain);
      await writeAtomic(join(dir, 'go.mod'), pauseGoMod);
      return dir;
    }
    const required = goModules[component].map((path) => ({ path, version }));
    const [main = ''] = goModules[component];
    const source = await download(main, version);
    if (source.Dir === undefined) throw buildFailed(`Cannot fetch ${main} ${version}`, source.Error ?? '');
    const mod = await goMod(join(source.Dir, 'go.mod'));
    requireGo(mod.Go, `${main} ${version}`);
    const beside = component === 'kubernetes' ? stagingVersion(version) : undefined;
    await copyFile(join(source.Dir, 'go.sum'), join(dir, 'go.sum'));
    if (component === 'coredns') await writeFile(join(dir, 'main.go'), corednsMain);
    await writeAtomic(join(dir, 'go.mod'), wrapperGoMod(`hairpin.lab/${component}`, mod, required, beside));
    return dir;
  };

  const requireGo = (least: string, what: string): void => {
    const { version, local } = opts.toolchain;
    if (!local || !goIsOlder(version, least)) return;
    throw new OperatorError('HOST_UNFIT', `${what} needs Go ${least}, this machine has ${version}`, {
      hint: `install Go ${least} or newer, or set GOTOOLCHAIN=auto so that Go fetches it`,
    });
  };

  const wrapper = (component: ComponentName, version: string): Promise<string> => {
    const key = `${component}@${version}`;
    const made = wrappers.get(key) ?? makeWrapper(component, version);
    wrappers.set(key, made);
    return made;
  };

  const ready = async () => {
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true });
  };
  let begun: Promise<void> | undefined;
  const begin = () => {
    begun ??= ready();
    return begun;
  };

  return {
    name: `the Go module registry (${opts.toolchain.version})`,
    async versions(component) {
      await begin();
      const [main] = goModules[component];
      if (main === undefined) return undefined;
      const { stdout, exitCode } = await go(scratch, ['list', '-m', '-versions', main]);
      return exitCode === 0 ? stdout.trim().split(/\s+/).slice(1).toSorted(compareReleases) : [];
    },
    async has(component, version) {
      await begin();
      const [main] = goModules[component];
      return main === undefined || (await download(main, version)).Dir !== undefined;
    },
    async produce(wanted, path, say) {
      await begin();
      say('fetching sources');
      const dir = await wrapper(wanted.binary.component, wanted.version);
      let packages = 0;
      const onLine = (line: string) => {
        if (/^[a-z0-9.]+\/\S+$|^[a-z]+$/.test(line)) packages += 1;
        say(line.startsWith('go: downloading') ? line.slice(4) : `${packages} packages · ${line}`);
      };
      const argv = [
        'build',
        '-v',
        '-trimpath',
        `-ldflags=${await ldflags(wanted)}`,
        '-o',
        path,
        wanted.binary.goPackage ?? '.',
      ];
      const built = await go(dir, argv, onLine);
      if (built.exitCode !== 0)
        throw buildFailed(`Cannot compile ${wanted.binary.name} ${wanted.version}`, built.stderr);
      return { source: `compiled with ${opts.toolchain.version}` };
    },
  };

  async function ldflags({ binary, version }: Wanted): Promise<string> {
    const base = '-s -w';
    if (binary.component === 'containerd')
      return `${base} -X github.com/containerd/containerd/v2/version.Version=${version}`;
    if (binary.component !== 'kubernetes') return base;
    const [major = '', minor = ''] = version.slice(1).split('.');
    const stamp = await releaseTime('k8s.io/kubernetes', version);
    // The flag pair is what Kubernetes' own hack/lib/version.sh sets: kubectl reads the one of client-go.
    const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean', ...stamp };
    const settings = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((where) =>
      Object.entries(values).map(([name, value]) => `-X ${where}.${name}=${value}`),
    );
    return [base, ...settings].join(' ');
  }

  /** The registry knows when a version was made, and sometimes from which commit. */
  async function releaseTime(module: string, version: string): Promise<Readonly<Record<string, string>>> {
    const { Info } = await download(module, version);
    const text = Info === undefined ? '{}' : await readFile(Info, 'utf8').catch(() => '{}');
    const info = z.object({ Time: z.string().optional(), Origin: z.object({ Hash: z.string().optional() }).nullish() });
    const parsed = info.safeParse(parseJson(text));
    const { Time, Origin } = parsed.success ? parsed.data : { Time: undefined, Origin: undefined };
    return {
      ...(Time === undefined ? {} : { buildDate: Time }),
      ...(Origin?.Hash === undefined ? {} : { gitCommit: Origin.Hash }),
    };
  }
}

function buildFailed(message: string, stderr: string): OperatorError {
  const cause = stderr.trim().split('\n').slice(-12).join('\n');
  if (/no space left on device/i.test(stderr))
    return new OperatorError('NO_SPACE', `${message}: no space left`, {
      cause,
      hint: 'free some space where `go env GOCACHE GOMODCACHE` and HAIRPIN_CACHE are',
    });
  return new OperatorError('ARTEFACT_BUILD_FAILED', message, {
    cause,
    hint: 'the same command finishes what is missing when it is run again',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
