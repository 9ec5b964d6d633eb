import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { requireSpace } from '../cache/space.ts';
import { writeAtomic } from '../cache/write-atomic.ts';
import { type ComponentName, goModules } from './components.ts';
import { buildFailed, type GoCommand, goCommand } from './go-command.ts';
import { corednsMain, pauseGoMod, pauseMain } from './go-programs.ts';
import { type GoToolchain, goIsOlder } from './go-toolchain.ts';
import { stagingVersion, wrapperGoMod } from './go-wrapper.ts';
import type { Source, Wanted } from './source.ts';
import { compareReleases } from './version.ts';

/** Compiles from the Go module registry that this machine's `go env GOPROXY` names. */
export function compileSource(opts: {
  /** Holds one directory for each module that wraps a component. */
  readonly go: string;
  readonly scratch: string;
  readonly arch: string;
  readonly toolchain: GoToolchain;
  readonly signal: AbortSignal;
}): Source {
  const go = goCommand(opts);
  const wrappers = new Map<string, Promise<string>>();
  const wrapper = (component: ComponentName, version: string): Promise<string> => {
    const key = `${component}-${version}`;
    const made = wrappers.get(key) ?? makeWrapper(join(opts.go, key), component, version, go, opts.toolchain);
    wrappers.set(key, made);
    return made;
  };
  return {
    name: `the Go module registry (${opts.toolchain.version})`,
    async versions(component) {
      const [main] = goModules[component];
      return main === undefined ? undefined : (await go.versions(main)).toSorted(compareReleases);
    },
    async has(component, version) {
      const [main] = goModules[component];
      return main === undefined || (await go.fetch(main, version)) !== undefined;
    },
    async produce(wanted, path, say) {
      const { name, component, goPackage = '.' } = wanted.binary;
      say('fetching sources');
      const dir = await wrapper(component, wanted.version);
      const argv = ['build', '-v', '-trimpath', `-ldflags=${await ldflags(wanted, go)}`, '-o', path, goPackage];
      const built = await go.run(dir, argv, packageCounter(say));
      if (built.exitCode !== 0) throw buildFailed(`Cannot compile ${name} ${wanted.version}`, built.stderr);
      return { source: `compiled with ${opts.toolchain.version}` };
    },
  };
}

/** Go's build cache (5.3 GB) and module cache (1.5 GB) after compiling everything for v1.37.2 with empty ones. */
const coldBytes = 7_000_000_000;

/** Writes a module of ours that builds the component's programs, and gives its directory. */
async function makeWrapper(
  dir: string,
  component: ComponentName,
  version: string,
  go: GoCommand,
  toolchain: GoToolchain,
): Promise<string> {
  // A module of ours that is there has been compiled before, so most of what it takes is taken.
  if (component === 'kubernetes' && !(await isThere(dir))) await requireSpace(toolchain.cache, coldBytes, 'compiling');
  await mkdir(dir, { recursive: true });
  const [main, ...more] = goModules[component];
  if (main === undefined) {
    await writeAtomic(join(dir, 'main.go'), pauseMain);
    await writeAtomic(join(dir, 'go.mod'), pauseGoMod);
    return dir;
  }
  const source = await go.fetch(main, version);
  if (source === undefined) throw buildFailed(`Cannot fetch ${main} ${version}`, 'the registry does not have it');
  const mod = await go.readGoMod(join(source, 'go.mod'));
  requireGo(mod.Go, `${main} ${version}`, toolchain);
  const required = [main, ...more].map((path) => ({ path, version }));
  const beside = component === 'kubernetes' ? stagingVersion(version) : undefined;
  await copyFile(join(source, 'go.sum'), join(dir, 'go.sum'));
  if (component === 'coredns') await writeFile(join(dir, 'main.go'), corednsMain);
  await writeAtomic(join(dir, 'go.mod'), wrapperGoMod(`hairpin.lab/${component}`, mod, required, beside));
  return dir;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function requireGo(least: string, what: string, { version, local }: GoToolchain): void {
  if (!local || !goIsOlder(version, least)) return;
  throw new OperatorError('HOST_UNFIT', `${what} needs Go ${least}, this machine has ${version}`, {
    hint: `install Go ${least} or newer, or set GOTOOLCHAIN=auto so that Go fetches it`,
  });
}

/** `go build -v` prints each package that it compiles and each module that it fetches. */
function packageCounter(say: (detail: string) => void): (line: string) => void {
  let packages = 0;
  return (line) => {
    if (line.startsWith('go: downloading ')) return say(line.slice('go: '.length));
    packages += 1;
    say(`${packages} packages · ${line}`);
  };
}

async function ldflags({ binary, version }: Wanted, go: GoCommand): Promise<string> {
  // Without symbol table and debug information: a third smaller, and the linker takes half the time.
  const base = '-s -w';
  if (binary.component === 'containerd')
    return `${base} -X github.com/containerd/containerd/v2/version.Version=${version}`;
  if (binary.component !== 'kubernetes') return base;
  const [gitMajor = '', gitMinor = ''] = version.slice(1).split('.');
  const origin = await go.origin('k8s.io/kubernetes', version);
  const values = { gitVersion: version, gitMajor, gitMinor, gitTreeState: 'clean', ...origin };
  // Both packages, as in Kubernetes' own hack/lib/version.sh: what talks to the API names the one of client-go.
  const settings = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((where) =>
    Object.entries(values).map(([name, value]) => `-X ${where}.${name}=${value}`),
  );
  return [base, ...settings].join(' ');
}
