import { relative } from 'node:path';
import { Command } from 'commander';
import {
  type Artefacts,
  type Base,
  type CachedArtefacts,
  defaults,
  ensureArtefacts,
  ensureBase,
  formatBytes,
  listArtefacts,
} from '../../index.ts';
import { outputOption } from '../output.ts';
import { runCommand } from '../run.ts';

interface Options {
  readonly kubernetes: string;
  readonly from?: string;
  readonly verify?: boolean;
  readonly list?: boolean;
  readonly output: string;
}

/** `hairpin lab artefacts`: what nodes are made of, got or made before it is needed. */
export function labArtefactsCommand(): Command {
  return new Command('artefacts')
    .description('get or compile the Kubernetes binaries, images and base image that nodes are made of')
    .option('--kubernetes <version>', 'the version to get', defaults.kubernetes)
    .option('--from <dir>', 'prefer the binaries in this directory; what it does not have is got as usual')
    .option('--verify', 'compare the checksum of every file and make again what differs')
    .option('--list', 'only say which versions are here')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Binaries come from --from, else from the release site of Kubernetes (HAIRPIN_RELEASE_SITE names a mirror),
else they are compiled from the Go module registry. All is kept in HAIRPIN_CACHE (~/.cache/hairpin).

Examples:
  hairpin lab artefacts --kubernetes v1.36.3
  hairpin lab artefacts --from ./kubernetes/server/bin --kubernetes v1.37.2`,
    )
    .action((opts: Options) =>
      runCommand(opts, async (cx) => {
        const { emit, signal } = cx;
        if (opts.list === true) {
          const cached = await listArtefacts();
          cx.print({ artefacts: cached }, () => listText(cached));
          return undefined;
        }
        const base = await ensureBase({ emit, signal });
        const artefacts = await ensureArtefacts(opts.kubernetes, {
          emit,
          signal,
          ...(opts.from === undefined ? {} : { from: opts.from }),
          ...(opts.verify === true ? { verify: true } : {}),
        });
        cx.print({ artefacts, base }, () => artefactsText(artefacts, base));
        return undefined;
      }),
    );
}

function artefactsText(artefacts: Artefacts, base: Base): string {
  const rows = Object.entries(artefacts.checksums).map(([path, sum]) => {
    const ref = artefacts.images.find(({ file }) => relative(artefacts.dir, file) === path)?.ref;
    return [path, sum.slice(0, 12), ref ?? artefacts.sources[path] ?? ''] as const;
  });
  const width = Math.max(...rows.map(([path]) => path.length));
  return [
    `Kubernetes ${artefacts.version} for ${artefacts.arch} is in ${artefacts.dir}`,
    ...rows.map(([path, sum, what]) => `  ${path.padEnd(width)}  ${sum}  ${what}`),
    `base image ${base.id} is in ${base.rootfs}`,
  ].join('\n');
}

function listText(cached: readonly CachedArtefacts[]): string {
  if (cached.length === 0) return 'No version is here yet: hairpin lab artefacts';
  return cached
    .map(({ version, complete, files, bytes, dir }) => {
      const state = complete ? 'complete' : `${files} files, not complete`;
      return `${version.padEnd(10)}  ${state.padEnd(24)}  ${formatBytes(bytes).padStart(7)}  ${dir}`;
    })
    .join('\n');
}
