import { OperatorError } from '../../errors/operator-error.ts';
import type { Emit } from '../../report/event.ts';
import type { ComponentName } from './components.ts';
import { goToolchain } from './go-toolchain.ts';
import { type ReleaseSites, releaseSites } from './release-assets.ts';
import type { Source } from './source.ts';
import { compileSource } from './source-compile.ts';
import { directorySource } from './source-directory.ts';
import { releaseSource } from './source-release.ts';
import { nearestVersion, parseVersion } from './version.ts';

/** Where binaries come from, preferred first: the directory that was given, the release site, the Go module registry. */
export async function openSources(opts: {
  readonly go: string;
  readonly scratch: string;
  readonly arch: string;
  readonly from: string | undefined;
  readonly sites?: ReleaseSites;
  readonly signal: AbortSignal;
  readonly emit: Emit;
}): Promise<readonly Source[]> {
  const sites = opts.sites ?? releaseSites();
  const [release, go] = await Promise.all([releaseSource({ ...opts, sites }), goToolchain(opts.signal)]);
  const sources = [
    ...(opts.from === undefined ? [] : [directorySource({ dir: opts.from, arch: opts.arch, signal: opts.signal })]),
    ...(release === undefined ? [] : [release]),
    ...(go === undefined ? [] : [compileSource({ ...opts, toolchain: go })]),
  ];
  const [first] = sources;
  if (first !== undefined) {
    const unreachable = release === undefined ? `; ${sites.kubernetes} cannot be reached from here` : '';
    opts.emit({
      kind: 'note',
      text: `Getting binaries from ${sources.map((s) => s.name).join(', else ')}${unreachable}`,
    });
    return sources;
  }
  throw new OperatorError('ARTEFACT_NO_SOURCE', 'There is nowhere to get Kubernetes from', {
    cause: `${sites.kubernetes} does not answer, and \`go\` is not installed`,
    hint: 'install Go, or give a directory that has the binaries with --from DIR',
  });
}

/** Throws one error that lists the versions that there are, where no source has `version`. */
export async function requireVersion(version: string, sources: readonly Source[]): Promise<void> {
  if (parseVersion(version) !== undefined)
    for (const source of sources) if (await source.has('kubernetes', version)) return;
  const lists = await Promise.all(sources.map((source) => source.versions('kubernetes')));
  const known = [...new Set(lists.flatMap((list) => list ?? []))];
  throw new OperatorError('KUBERNETES_VERSION_UNKNOWN', `No source has Kubernetes ${version}`, {
    cause: `asked: ${sources.map((source) => source.name).join(', ')}`,
    hint: known.length === 0 ? 'give a version like v1.37.2' : `versions that are listed: ${known.join(', ')}`,
  });
}

/** The version of a component to take: the wanted one, or the nearest that a source has. */
export async function availableVersion(
  component: ComponentName,
  wanted: string,
  sources: readonly Source[],
): Promise<string> {
  for (const source of sources) if (await source.has(component, wanted)) return wanted;
  const lists = await Promise.all(sources.map((source) => source.versions(component)));
  const nearest = nearestVersion(
    wanted,
    lists.flatMap((list) => list ?? []),
  );
  if (nearest !== undefined) return nearest;
  throw new OperatorError('ARTEFACT_NO_SOURCE', `No source has ${component} ${wanted} or any other version of it`, {
    cause: `asked: ${sources.map((source) => source.name).join(', ')}`,
  });
}
